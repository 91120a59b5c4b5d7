import { InvalidRequest, LinkspanError } from "../errors.ts";
import type { SealedPlace, Vault } from "./ports.ts";

/** Longest possible `nextPage` token. */
const MAX_LENGTH = 6000;

/** Seals a position in a list as a `nextPage` token: opaque, and valid only for the same place. */
export async function sealPageToken(
  vault: Pick<Vault, "seal">,
  place: SealedPlace,
  position: string,
): Promise<string> {
  return Buffer.from(await vault.seal(place, position)).toString("base64url");
}

/**
 * @throws {InvalidRequest} damaged, or of another place
 * @throws {LinkspanError} 503: the key service does not answer
 */
export async function openPageToken(
  vault: Pick<Vault, "open">,
  place: SealedPlace,
  token: string,
): Promise<string> {
  const sealed = Buffer.from(token, "base64url");
  // Decoding ignores invalid characters and unused bits: only the canonical form of a token is accepted.
  if (token === "" || token.length > MAX_LENGTH || sealed.toString("base64url") !== token) throw wrongToken();
  try {
    return await vault.open(place, sealed);
  } catch (error) {
    // The key service may be down; any other error means that the token is wrong.
    if (error instanceof LinkspanError && error.status === 503) throw error;
    throw wrongToken();
  }
}

function wrongToken(): InvalidRequest {
  return new InvalidRequest(
    "nextPage is not a token of this list: take it from the header Elements-Next-Page-Token, with the same parameters",
    "nextPage",
  );
}
