import { InvalidRequest } from "../core/errors.ts";

/** The parts of a request to the vendor, without the body. */
interface Outgoing {
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Most layers of encoding (percent, JSON escapes) that are decoded. */
const MAX_DECODINGS = 4;

/**
 * Refuses a request that would send the instance token to the vendor: in the path, in a name, or encoded in a
 * value. The token gives full access, and vendors log what they receive. The body is not checked: it is the
 * caller's own, and is sent unchanged.
 * @param token token of the instance that the call is for
 * @throws {InvalidRequest} `misplaced_token`, naming the place
 */
export function refuseMisplacedToken(token: string, { path, query, headers }: Outgoing): void {
  const isIn = tokenFinder(token);
  if (isIn(path)) throw misplaced("the path", "path");
  for (const [name, value] of query) {
    if (isIn(name)) throw misplaced("the name of a query parameter", "query");
    if (isIn(value)) throw misplaced(`the query parameter ${name.slice(0, 50)}`, "query");
  }
  for (const [name, value] of headers) {
    if (isIn(name)) throw misplaced("the name of a header", "headers");
    if (isIn(value)) throw misplaced(`the header ${name}`, "headers");
  }
}

/**
 * Searches for the token's secret part, because a thief can use only a text with this part. Its 256 random
 * bits do not match another text by chance.
 */
function tokenFinder(token: string): (text: string) => boolean {
  const secret = token.slice(token.indexOf(".") + 1);
  const inBase64 = base64Forms(secret).flatMap((form) => [form, ...base64Forms(form)]);
  const inSmallLetters = [secret.toLowerCase(), Buffer.from(secret).toString("hex")];
  return (text) => {
    let decoded = text;
    for (let turn = 0; turn <= MAX_DECODINGS; turn++) {
      const small = decoded.toLowerCase();
      if (inSmallLetters.some((form) => small.includes(form))) return true;
      // Removes white space: the tools `base64` and `openssl` put line breaks into base64.
      const base64 = decoded.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/");
      if (inBase64.some((form) => base64.includes(form))) return true;
      const next = decodeOnce(decoded);
      if (next === decoded) return false;
      decoded = next;
    }
    return false;
  };
}

/**
 * The three forms that a text can have within the base64 of a longer text; the form depends on where the text
 * begins. Omits first and last letters that depend on the surrounding text.
 */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from("\0".repeat(before) + text).toString("base64");
    const begin = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + text.length) * 8) / 6);
    return encoded.slice(begin, end);
  });
}

/** Decodes ASCII characters from percent-encoding and from JSON escapes, one layer. */
function decodeOnce(text: string): string {
  return text.replace(/(?:%|\\u00)([0-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function misplaced(where: string, field: string): InvalidRequest {
  return new InvalidRequest(
    `the instance token is in ${where}, and would go to the vendor; send it only as Authorization: Bearer <instance token>`,
    field,
    "misplaced_token",
  );
}
