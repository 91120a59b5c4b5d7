import { VendorError } from "../errors.ts";
import { present } from "../present.ts";
import { type VendorResponse, VendorUnreachable } from "../vendor-http.ts";

/** The bytes of a body, up to its end or to where it broke off. */
export interface CollectedBody {
  readonly bytes: Buffer;
  /** Why there is no more, where the body did not come to its end. */
  readonly cut?: Error;
}

export interface CollectLimits {
  /** More than this is refused, and the connection ended. */
  readonly maxBytes: number;
  /** For all of it, in milliseconds: the idle limit alone would let a vendor that drips go on for hours. */
  readonly timeoutMs: number;
  /** Called whenever no byte came for `quietMs`. `true`: the body is complete although the vendor keeps the connection open. */
  readonly isWhole?: (soFar: Buffer) => boolean;
  readonly quietMs?: number;
}

/**
 * A vendor's body in memory. What came before a cut is kept: the caller decides whether it is of use. It listens for the
 * pieces as they arrive, because a stream that fails drops those that were not read yet.
 * @throws {VendorError} 502, it is larger than `maxBytes`
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
