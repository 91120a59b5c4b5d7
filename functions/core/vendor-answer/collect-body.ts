import { VendorError } from "../errors.ts";
import { present } from "../present.ts";
import { type VendorResponse, VendorUnreachable } from "../vendor-http.ts";

/** The bytes of a body, up to its end or to the point where it broke off. */
export interface CollectedBody {
  readonly bytes: Buffer;
  /** Set if the body did not reach its end: the reason. */
  readonly cut?: Error;
}

export interface CollectLimits {
  /** A larger body is refused, and the connection ended. */
  readonly maxBytes: number;
  /** Time for the whole body, in milliseconds: with only the idle limit, a slow vendor could continue for hours. */
  readonly timeoutMs: number;
  /**
   * Called whenever no byte has come for `quietMs`. `true`: the body is complete although the vendor keeps the
   * connection open.
   */
  readonly isWhole?: (soFar: Buffer) => boolean;
  readonly quietMs?: number;
}

/**
 * Reads a vendor's body into memory. The bytes before a cut are kept: the caller decides whether it can use
 * them. Listens for the chunks as they arrive, because a stream that fails drops chunks that were not read yet.
 * @throws {VendorError} 502: the body is larger than `maxBytes`
 */
export function collectBody(
  { body }: Pick<VendorResponse, "body">,
  { maxBytes, timeoutMs, isWhole, quietMs }: CollectLimits,
): Promise<CollectedBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let quiet: NodeJS.Timeout | undefined;
    const settle = (): void => {
      clearTimeout(patience);
      clearTimeout(quiet);
    };
    const finish = (cut?: Error): void => {
      settle();
      resolve({ bytes: Buffer.concat(chunks, size), ...present({ cut }) });
    };
    const listen = (): void => {
      if (isWhole === undefined || quietMs === undefined) return;
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        if (!isWhole(Buffer.concat(chunks, size))) return;
        finish();
        body.destroy();
      }, quietMs);
    };
    const patience = setTimeout(() => {
      body.destroy(new VendorUnreachable("the answer did not end in time", { sent: true, timedOut: true }));
    }, timeoutMs);
    body.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        settle();
        reject(tooLarge());
        return void body.destroy();
      }
      chunks.push(chunk);
      listen();
    });
    body.on("end", () => finish());
    body.on("error", finish);
    body.on("close", () => finish(new VendorUnreachable("the vendor cut its answer", { sent: true })));
    if (body.destroyed) finish(body.errored ?? undefined);
  });
}

export function tooLarge(): VendorError {
  return new VendorError(502, "vendor_answer_too_large", "the vendor's answer is larger than the limit");
}
