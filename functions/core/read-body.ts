import { collectBody } from "./vendor-answer/collect-body.ts";
import type { VendorResponse } from "./vendor-http.ts";

/** Default time limit. */
const TIMEOUT_MS = 20_000;

/**
 * Reads the whole body of a vendor's answer into memory, byte for byte. To read a vendor's JSON or form, see
 * vendor-answer/.
 * @param maxBytes a larger body is refused, and the connection ended
 * @param timeoutMs time for the whole body, in milliseconds: with only the idle limit, a slow vendor could
 *   continue for hours
 * @throws {VendorError} 502: the body is larger
 * @throws {VendorUnreachable} the body stalled, was cut, or did not end in time
 */
export async function readBody(
  response: Pick<VendorResponse, "body">,
  maxBytes: number,
  timeoutMs = TIMEOUT_MS,
): Promise<Buffer> {
  const { bytes, cut } = await collectBody(response, { maxBytes, timeoutMs });
  if (cut !== undefined) throw cut;
  return bytes;
}
