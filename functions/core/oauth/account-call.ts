import type { Account, Connector } from "../../connectors/define-connector.ts";
import { withCredential } from "../endpoint/credential.ts";
import { type EndpointValues, endpointOf } from "../endpoint/endpoint.ts";
import { present } from "../present.ts";
import { asText, readAnswer, type VendorAnswer } from "../vendor-answer/read-answer.ts";
import type { VendorHttp, VendorResponse } from "../vendor-http.ts";

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 100_000;
/** Errors are near the root of an answer. */
const MAX_ERROR_DEPTH = 4;

/** `ended`: the vendor says that the access token is not valid, or not valid any more. */
export type AccountAnswer =
  | { readonly kind: "told"; readonly account: Account }
  | { readonly kind: "ended" }
  | { readonly kind: "untold"; readonly status: number };

/**
 * Asks the vendor for the account of an access token.
 * @throws {VendorUnreachable} there is no answer
 * @throws {VendorError} 502: the answer cannot be read, or the endpoint is not known
 */
export async function callAccount(
  http: VendorHttp,
  connector: Connector,
  values: EndpointValues,
  accessToken: string,
): Promise<AccountAnswer> {
  const { account: call, api } = connector;
  if (call === undefined) throw new Error(`${connector.key} has no account call`);
  const { origin, headers, allowedHosts } = endpointOf(connector, values);
  const response = await http.send({
    method: call.method,
    ...withCredential(api.credential, accessToken, { url: origin + call.path, headers }),
    allowedHosts,
    timeoutMs: TIMEOUT_MS,
    freshConnection: true,
    lenient: true,
  });
  const answer = await readAnswer(response, { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS });
  const { status } = response;
  const id = asText(memberAt(answer.value, call.id));
  if (status === 200 && id !== undefined) {
    const name = asText(memberAt(answer.value, call.name));
    const email = asText(memberAt(answer.value, call.email));
    const found = factsIn(call.facts ?? {}, answer.value);
    const facts = Object.keys(found).length === 0 ? undefined : found;
    return { kind: "told", account: { id, ...present({ name, email, facts }) } };
  }
  return status === 401 && saysEnded(connector, response, answer)
    ? { kind: "ended" }
    : { kind: "untold", status };
}

/**
 * A 401 alone does not prove that the token has ended: Dropbox also sends it if the token lacks a scope. The
 * error must be `invalid_token` (RFC 6750 section 3.1), or an error that the connector declares.
 */
function saysEnded(connector: Connector, response: VendorResponse, answer: VendorAnswer): boolean {
  if (/\berror="?invalid_token\b/i.test(response.headers["www-authenticate"] ?? "")) return true;
  const words = connector.oauth2.accessToken.endedErrors ?? [];
  return words.length > 0 && !answer.isTooDeep && holdsWord(answer.value, new Set(words), MAX_ERROR_DEPTH);
}

function holdsWord(value: unknown, words: ReadonlySet<string>, depth: number): boolean {
  if (typeof value === "string") return words.has(value);
  if (typeof value !== "object" || value === null || depth === 0) return false;
  return Object.values(value).some((each) => holdsWord(each, words, depth - 1));
}

/** @param places places of the facts in the answer, by key */
export function factsIn(places: Readonly<Record<string, string>>, answer: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(places).flatMap(([key, place]) => {
      const value = asText(memberAt(answer, place));
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function memberAt(value: unknown, path: string | undefined): unknown {
  if (path === undefined) return undefined;
  let found = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}
