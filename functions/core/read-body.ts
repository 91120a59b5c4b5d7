import { VendorError } from "./errors.ts";
import type { VendorResponse } from "./vendor-http.ts";

/**
 * The whole body of a vendor's answer, in memory.
 * @param maxBytes more than this is refused, and the connection ended
 * @throws {VendorError} 502, it is larger
 * @throws {VendorUnreachable} it stalled or was cut
 */
export async function readBody(response: Pick<VendorResponse, "body">, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > maxBytes) {
      throw new VendorError(502, "vendor_answer_too_large", "the vendor's answer is larger than it may be");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The body as JSON; `undefined` where there is none.
 * @throws {VendorError} 502, it is no JSON, or too large
 */
export async function readJson(response: Pick<VendorResponse, "body">, maxBytes: number): Promise<unknown> {
  const text = (await readBody(response, maxBytes)).toString("utf8");
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new VendorError(
      502,
      "vendor_answer_unreadable",
      "the vendor's answer is not the JSON that it should be",
    );
  }
}
