import { cutSecrets } from "../../cut-secrets.ts";
import type { Failure, Grant } from "../../instances/instance.ts";
import type { TokenOutcome } from "../../oauth/ports.ts";

/** A vendor's own words, as they may be stored, logged and shown. */
export type VendorWords = Pick<Failure, "error" | "description">;

const MAX_ERROR_CHARACTERS = 100;
const MAX_DESCRIPTION_CHARACTERS = 500;

/**
 * The vendor's `error` and `error_description` (RFC 6749 section 5.2) for a token request that it refused. The
 * reader of the token endpoint has cut out the secrets that were sent; this function cuts out the other secrets
 * of the grant, and limits the length of both texts again.
 * @param grant the grant that was to be renewed
 */
export function wordsOf(outcome: TokenOutcome, grant: Grant): VendorWords {
  if (outcome.kind !== "invalid_grant" && outcome.kind !== "refused" && outcome.kind !== "client_refused")
    return {};
  const secrets = [
    grant.accessToken,
    ...(grant.refreshToken === undefined ? [] : [grant.refreshToken]),
    ...(grant.client.kind === "own" ? [grant.client.secret] : []),
  ];
  const clean = (text: string, most: number): string => cutSecrets(text, secrets).trim().slice(0, most);
  const error = clean(outcome.error, MAX_ERROR_CHARACTERS);
  const description = clean(outcome.description ?? "", MAX_DESCRIPTION_CHARACTERS);
  return {
    // Without an error body, `error` is the status ("http_403"), which is not the vendor's word.
    ...(error === "" || error.startsWith("http_") ? {} : { error }),
    ...(description === "" ? {} : { description }),
  };
}
