import { collectBody } from "./vendor-answer/collect-body.ts";
import type { VendorResponse } from "./vendor-http.ts";

/** Where the caller gives no limit of its own. */
const TIMEOUT_MS = 20_000;

/**
 * The whole body of a vendor's answer, in memory, byte for byte. For what the vendor says, see vendor-answer/.
 * @param maxBytes more than this is refused, and the connection ended
 * @param timeoutMs for all of it, in milliseconds: the idle limit alone would let one that drips go on for hours
 * @throws {VendorError} 502, it is larger
 * @throws {VendorUnreachable} it stalled, was cut, or did not end in time
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
