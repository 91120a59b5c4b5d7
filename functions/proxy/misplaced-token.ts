import { InvalidRequest } from "../core/errors.ts";

/** What goes to the vendor beside the body. */
interface Outgoing {
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Most layers of encoding (percent, JSON escapes) that are undone. */
const MAX_DECODINGS = 4;

/**
 * Refuses a request that would carry the instance token to the vendor: in the path, in a name, or encoded in a value. The token
 * gives full access, and vendors log what they receive. The body is the caller's own and goes out byte for byte.
 * @param token of the instance that the call is for
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

/** Looks for the token's secret part, which alone is of use to a thief. 256 random bits match nothing by chance. */
function tokenFinder(token: string): (text: string) => boolean {
  const secret = token.slice(token.indexOf(".") + 1);
  const inBase64 = base64Forms(secret).flatMap((form) => [form, ...base64Forms(form)]);
  const inSmallLetters = [secret.toLowerCase(), Buffer.from(secret).toString("hex")];
  return (text) => {
    let decoded = text;
    for (let turn = 0; turn <= MAX_DECODINGS; turn++) {
      const small = decoded.toLowerCase();
      if (inSmallLetters.some((form) => small.includes(form))) return true;
      // `base64` and `openssl` break their lines.
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
 * How a text looks within the base64 of a longer one: there are three ways, by where it begins. Its first and last letters depend on
 * what stands around it, and are left out.
 */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from("\0".repeat(before) + text).toString("base64");
    const begin = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + text.length) * 8) / 6);
    return encoded.slice(begin, end);
  });
}

/** Percent-encoding, and the escapes of JSON, of ASCII characters. */
function decodeOnce(text: string): string {
  return text.replace(/(?:%|\\u00)([0-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function misplaced(where: string, field: string): InvalidRequest {
  return new InvalidRequest(
    `the instance token stands in ${where}, and would go to the vendor; send it as Authorization: Bearer <instance token> only`,
    field,
    "misplaced_token",
  );
}
