import { VendorError } from "./errors.ts";
import { parseJson } from "./parse-json.ts";
import { type VendorResponse, VendorUnreachable } from "./vendor-http.ts";

/** Of a body that nobody says more about. */
const TIMEOUT_MS = 20_000;

/**
 * The whole body of a vendor's answer, in memory.
 * @param maxBytes more than this is refused, and the connection ended
 * @param timeoutMs for all of it, in milliseconds: the idle limit alone would let one that drips go on for hours
 * @throws {VendorError} 502, it is larger
 * @throws {VendorUnreachable} it stalled, was cut, or did not end in time
 */
export async function readBody(
  { body }: Pick<VendorResponse, "body">,
  maxBytes: number,
  timeoutMs = TIMEOUT_MS,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const patience = setTimeout(() => {
    body.destroy(new VendorUnreachable("the answer did not end in time", { sent: true, timedOut: true }));
  }, timeoutMs);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      // Leaving the loop destroys the stream.
      if (size > maxBytes) {
        throw new VendorError(502, "vendor_answer_too_large", "the vendor's answer is larger than it may be");
      }
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(patience);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The body as JSON; `undefined` where there is none.
 * @throws {VendorError} 502, it is no JSON, nested too deep, or too large
 */
export async function readJson(
  response: Pick<VendorResponse, "body">,
  maxBytes: number,
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const text = (await readBody(response, maxBytes, timeoutMs)).toString("utf8");
  if (text.trim() === "") return undefined;
  try {
    return parseJson(text);
  } catch {
    throw new VendorError(
      502,
      "vendor_answer_unreadable",
      "the vendor's answer is not the JSON that it should be",
    );
  }
}
