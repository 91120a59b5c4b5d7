import { once } from "node:events";
import { finished, type Readable, type Writable } from "node:stream";
import type { PluginExecutionMode } from "@middy/core";

/** An answer that is streamed to API Gateway: status and headers before the body. */
export interface StreamedResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array | Readable;
  readonly onEnd?: () => void;
  /** Settles when all work that continues after the answer is done. */
  readonly afterAnswer?: () => Promise<void>;
}

/**
 * Longest time in which the caller may read no byte; after this time the answer ends. Needed because Lambda
 * does not report that a client has disconnected.
 */
const WRITE_STALL_MS = 60_000;
const STOPPED_READING = "the caller stopped reading";

declare const awslambda: {
  streamifyResponse(handler: (event: unknown, stream: Writable, context: unknown) => Promise<void>): unknown;
  HttpResponseStream: { from(stream: Writable, prelude: unknown): Writable };
};

interface MiddyParts {
  middyRequest(event: unknown, context: unknown): unknown;
  runRequest(
    request: unknown,
    before: unknown,
    handler: unknown,
    after: unknown,
    onError: unknown,
    plugin: unknown,
  ): Promise<StreamedResponse>;
}

/**
 * Execution mode for middy. It replaces middy's `executionModeStreamifyResponse`, which (in 7.9) destroys
 * Lambda's stream if a source fails, and so ends the process. In this mode, a source that fails after the
 * first byte leaves an incomplete answer, an answer with an empty body still sends its status and headers,
 * and the invocation lasts until the work after the answer is done.
 */
function streaming(
  { middyRequest, runRequest }: MiddyParts,
  before: unknown,
  handler: unknown,
  after: unknown,
  onError: unknown,
  plugin: { requestStart(request: unknown): void },
): unknown {
  let lambdaHandler = handler;
  const streamed = awslambda.streamifyResponse(async (event, stream, context) => {
    const request = middyRequest(event, context);
    plugin.requestStart(request);
    const response = await runRequest(request, before, lambdaHandler, after, onError, plugin);
    const { body, onEnd, afterAnswer, ...prelude } = response;
    const out = awslambda.HttpResponseStream.from(stream, prelude);
    // Without a first write, status and headers are not sent (runtime interface client, issue 97).
    out.write("");
    try {
      await writeBody(out, body);
      out.end();
    } finally {
      onEnd?.();
      await afterAnswer?.();
    }
  }) as { handler(next: unknown): unknown };
  streamed.handler = (next) => {
    lambdaHandler = next;
    return streamed;
  };
  return streamed;
}

async function writeBody(out: Writable, body: StreamedResponse["body"]): Promise<void> {
  if (body === undefined) return;
  if (typeof body === "string" || body instanceof Uint8Array) {
    if (body.length > 0 && !out.write(body)) await drained(out);
    return;
  }
  await pour(body, out);
}

/**
 * Writes all of a source, as fast as the caller reads. Does not use `pipeline`, which destroys the target if
 * the source fails. Does not use `for await`, because a promise for each chunk costs up to a third of a
 * download's processor time.
 */
function pour(source: Readable, out: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    let waiting: NodeJS.Timeout | undefined;
    const goOn = () => {
      clearTimeout(waiting);
      source.resume();
    };
    const end = (error?: Error | null) => {
      clearTimeout(waiting);
      out.off("drain", goOn).off("error", end);
      stopListening();
      source.off("data", write);
      if (error == null) return resolve();
      source.destroy();
      reject(error);
    };
    const write = (chunk: Uint8Array) => {
      if (out.write(chunk)) return;
      source.pause();
      waiting = setTimeout(() => end(new Error(STOPPED_READING)), WRITE_STALL_MS);
    };
    const stopListening = finished(source, { writable: false }, end);
    out.on("drain", goOn).on("error", end);
    source.on("data", write);
  });
}

async function drained(out: Writable): Promise<void> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(new Error(STOPPED_READING)), WRITE_STALL_MS);
  try {
    await once(out, "drain", { signal: patience.signal });
  } finally {
    clearTimeout(timer);
  }
}

export const streamingMode = streaming as unknown as PluginExecutionMode;
