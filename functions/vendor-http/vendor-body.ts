import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { VendorUnreachable } from "../core/vendor-http.ts";

/** A body that is not read is ended after this time, independent of its own idle limit. */
const UNREAD_LIMIT_MS = 5 * 60_000;

/**
 * The bytes of a vendor's answer, unchanged, with back-pressure. The vendor's idle limit counts only while
 * the reader waits for the vendor's next bytes, so a slow reader causes no vendor timeout.
 */
export class VendorBody extends Readable {
  readonly #source: IncomingMessage;
  readonly #idleTimeoutMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: IncomingMessage, idleTimeoutMs: number) {
    super();
    this.#source = source;
    this.#idleTimeoutMs = idleTimeoutMs;
    source.on("data", (chunk: Buffer) => {
      if (this.push(chunk)) this.#waitForVendor();
      else {
        source.pause();
        this.#waitForReader();
      }
    });
    source.on("end", () => {
      clearTimeout(this.#timer);
      this.push(null);
    });
    source.on("error", (cause) => this.#fail("the vendor cut its answer", false, cause));
    source.on("close", () => {
      if (!source.complete) this.#fail("the vendor cut its answer", false);
    });
    source.pause();
    this.#waitForReader();
  }

  override _read(): void {
    this.#waitForVendor();
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    // Destroys the socket, too, unless the answer was read to its end.
    if (!this.#source.complete || !this.#source.readableEnded) this.#source.destroy();
    callback(error);
  }

  #waitForVendor(): void {
    this.#limit(this.#idleTimeoutMs, "the vendor stopped in the middle of its answer");
  }

  #waitForReader(): void {
    this.#limit(UNREAD_LIMIT_MS, "nobody read the vendor's answer");
  }

  #limit(ms: number, message: string): void {
    clearTimeout(this.#timer);
    if (this.#source.complete && this.#source.readableEnded) return;
    this.#timer = setTimeout(() => this.#fail(message, true), ms);
    this.#timer.unref();
  }

  #fail(message: string, timedOut: boolean, cause?: unknown): void {
    if (!this.destroyed) this.destroy(new VendorUnreachable(message, { sent: true, timedOut, cause }));
  }
}
