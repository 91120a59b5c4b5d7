import { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type StreamedResponse, streamingMode } from "../../../functions/http/streaming-mode.ts";

beforeEach(() => {
  vi.stubGlobal("awslambda", {
    streamifyResponse: (handler: unknown) => handler,
    HttpResponseStream: { from: (stream: Writable) => stream },
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Lambda's stream: it takes the next chunk after the one before. */
class Reader extends Writable {
  readonly taken: Buffer[] = [];
  private readonly takes: (next: () => void) => void;
  constructor(takes: (next: () => void) => void = setImmediate) {
    super({ highWaterMark: 1 });
    this.takes = takes;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk);
    if (chunk.length === 0) done();
    else this.takes(done);
  }
}

/** Sends an answer with this body, as middy runs a function. */
function answer(body: StreamedResponse["body"], out: Writable, onEnd = () => {}): Promise<void> {
  const response = { statusCode: 200, headers: {}, body, onEnd };
  const deps = { middyRequest: () => ({}), runRequest: async () => response };
  const start = { requestStart: () => {} };
  const mode = streamingMode as unknown as (
    ...all: unknown[]
  ) => (event: unknown, out: Writable) => Promise<void>;
  return mode(deps, [], async () => response, [], [], start)({}, out);
}

const chunks = (count: number) => Array.from({ length: count }, (_, index) => Buffer.from(`${index};`));

describe("a streamed answer", () => {
  it("contains every byte in order, and buffers little for a slow reader", async () => {
    let made = 0;
    let most = 0;
    const out = new Reader((next) => {
      most = Math.max(most, made - out.taken.length);
      setImmediate(next);
    });
    const source = new Readable({
      highWaterMark: 1,
      read() {
        const chunk = chunks(200)[made++];
        setImmediate(() => this.push(chunk ?? null));
      },
    });
    await answer(source, out);
    expect(Buffer.concat(out.taken).toString()).toBe(Buffer.concat(chunks(200)).toString());
    expect(most).toBeLessThan(10);
    expect(out.listenerCount("drain")).toBe(0);
  });

  it("is cut off when its source fails; the reader's stream itself is not destroyed", async () => {
    const out = new Reader();
    const onEnd = vi.fn();
    async function* failing() {
      yield Buffer.from("first");
      throw new Error("the vendor is gone");
    }
    await expect(answer(Readable.from(failing()), out, onEnd)).rejects.toThrow("the vendor is gone");
    expect([Buffer.concat(out.taken).toString(), out.destroyed, onEnd.mock.calls.length]).toEqual([
      "first",
      false,
      1,
    ]);
  });

  it("is cut off when its source has failed before the first read", async () => {
    const source = new Readable({ read() {} });
    source.on("error", () => {}).destroy(new Error("gone at once"));
    await expect(answer(source, new Reader())).rejects.toThrow("gone at once");
  });

  it("ends when its reader takes nothing for a minute, and so does its source", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const source = Readable.from(chunks(100));
    const ended = expect(answer(source, new Reader(() => {}))).rejects.toThrow("stopped reading");
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    vi.advanceTimersByTime(60_000);
    await ended;
    expect(source.destroyed).toBe(true);
  });
});
