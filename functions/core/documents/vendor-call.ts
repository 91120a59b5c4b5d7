import { LinkspanError } from "../errors.ts";
import { retryAfterMs } from "../retry-after.ts";
import { readAnswer, type VendorAnswer } from "../vendor-answer/read-answer.ts";
import type { VendorResponse } from "../vendor-http.ts";
import type { VendorSession } from "../vendor-session.ts";
import { type RetryDeps, withRetries } from "./call-retries.ts";
import { badAnswer, MAX_REFUSAL_BYTES, type ReadRefusal, vendorFailure } from "./vendor-failure.ts";

/** Limits of one call to a vendor. */
const limits = {
  /** Time limit for a complete JSON answer. */
  jsonTimeoutMs: 20_000,
  /** Least time for a body whose headers came late (after a refresh and a replay, for example). */
  leastBodyMs: 5_000,
  /** Time limit for the headers of the answer to an upload (up to 4.5 MB) or a download. */
  bytesTimeoutMs: 60_000,
  /** Longest time between two chunks of an answer. */
  idleTimeoutMs: 30_000,
  /** Part of the function's time that is reserved for the answer to the caller. */
  reserveMs: 2_000,
  maxJsonBytes: 10 * 1024 * 1024,
} as const;

export interface CallRequest {
  readonly method: string;
  /** Absolute, or the path and query of a URL on the instance's own API origin: `/2.0/folders/0`. */
  readonly url: string;
  /** For a path: the name of one of the connector's other hosts (`api.hosts`) in place of its API origin. */
  readonly host?: string;
  /**
   * The URL itself is the credential (an upload session, a monitor of a task): sent without the access token, and only to hosts in
   * the connector's `api.presignedHosts`.
   */
  readonly presigned?: true;
  /** The call may be sent again, though its method is no GET: it changes nothing, or the second time nothing more. */
  readonly repeatable?: true;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array | string;
  /** Milliseconds until the headers arrive; for JSON, until the whole answer arrives; default 20 s for JSON, 60 s for bytes. */
  readonly timeoutMs?: number;
}

/** What a vendor's module may know of the instance and of the request. */
export interface VendorInstance {
  /** Values of the instance's configuration, secrets left out. */
  readonly configuration: Readonly<Record<string, string>>;
  /**
   * Values that the vendor returned when the user signed in (the connector's `captured`), and the facts of its account call
   * (`AccountCall.facts`); one more call to the vendor if these are not stored yet.
   */
  told(): Promise<Readonly<Record<string, string>>>;
  /** Header `Elements-As-Team-Member`. */
  readonly member?: string;
  /** Header `Subsite`. */
  readonly subsite?: string;
}

/**
 * How a vendor's module (documents/vendors/) calls its vendor: converts refusals to Linkspan errors, limits and checks
 * answers.
 */
export interface VendorCall {
  readonly instance: VendorInstance;
  /** Sends JSON or nothing, expects JSON. @throws {LinkspanError} */
  json<T>(request: CallRequest & { json?: unknown }): Promise<T>;
  /** Expects success and returns the open response; the caller reads or passes on its body. */
  open(request: CallRequest): Promise<VendorResponse>;
  /** Expects success and drops the body. */
  expectOk(request: CallRequest): Promise<void>;
}

export interface VendorCallOptions extends Pick<RetryDeps, "sleep" | "random"> {
  readonly session: VendorSession;
  /** Reads the reason from the vendor's error body and headers. */
  readonly refusal: ReadRefusal;
  readonly instance: VendorInstance;
}

export function vendorCall({ session, refusal, instance, sleep, random }: VendorCallOptions): VendorCall {
  const retries = { sleep, random, remainingMs: () => session.remainingMs() };
  const opened = (request: CallRequest) =>
    withRetries(retries, request, (asked) => open(session, refusal, request, asked));
  return {
    instance,
    open: opened,
    json: (request) => withRetries(retries, request, (asked) => callJson(session, refusal, request, asked)),
    async expectOk(request) {
      const response = await opened(request);
      response.body.destroy();
    },
  };
}

/** @param asked takes the vendor's `Retry-After` of a refusal */
async function open(
  session: VendorSession,
  refusal: ReadRefusal,
  request: CallRequest,
  asked: (waitMs: number | undefined) => void,
): Promise<VendorResponse> {
  const leftMs = startTimer(session, limits.jsonTimeoutMs);
  const response = await session.send({
    method: request.method,
    url: await absoluteUrl(session, request),
    presigned: request.presigned ?? false,
    // Asks for an uncompressed answer, because the bytes are passed on unchanged.
    headers: [["Accept-Encoding", "identity"], ...(request.headers ?? [])],
    body: request.body,
    timeoutMs: Math.max(
      1,
      Math.min(request.timeoutMs ?? limits.bytesTimeoutMs, session.remainingMs() - limits.reserveMs),
    ),
    idleTimeoutMs: limits.idleTimeoutMs,
    followRedirects: request.method === "GET",
  });
  if (response.status >= 200 && response.status <= 299) return response;
  asked(retryAfterMs(response.headers));
  throw await readRefusal(session, refusal, response, leftMs());
}

async function absoluteUrl(session: VendorSession, { url, host }: CallRequest): Promise<string> {
  if (!url.startsWith("/")) return url;
  const { origin, hosts } = await session.endpoint();
  const base = host === undefined ? origin : hosts[host];
  if (base === undefined) throw new Error(`the connector has no host ${host}`);
  return `${base}${url}`;
}

async function callJson<T>(
  session: VendorSession,
  refusal: ReadRefusal,
  { json, ...request }: CallRequest & { json?: unknown },
  asked: (waitMs: number | undefined) => void,
): Promise<T> {
  const timeoutMs = request.timeoutMs ?? limits.jsonTimeoutMs;
  const leftMs = startTimer(session, timeoutMs);
  const body = {
    body: JSON.stringify(json),
    headers: [...(request.headers ?? []), ["Content-Type", "application/json"] as const],
  };
  const whole = { ...request, timeoutMs, ...(json === undefined ? {} : body) };
  const response = await open(session, refusal, whole, asked);
  return (await readJson(response, leftMs)) as T;
}

/** @throws {VendorError} 502 `vendor_bad_answer`: no JSON, too large, or nested too deep */
async function readJson(response: VendorResponse, leftMs: () => number): Promise<unknown> {
  const type = response.headers["content-type"] ?? "";
  const shownType = JSON.stringify(type.slice(0, 100));
  // JSON has many content types, but image, audio, video and font types are never JSON.
  if (/^(?:image|audio|video|font)\//i.test(type)) {
    response.body.destroy();
    throw badAnswer(`its content type is ${shownType}`);
  }
  const limited = { maxBytes: limits.maxJsonBytes, timeoutMs: leftMs() };
  const { value, isTooDeep } = await readAnswer(response, limited).catch((error: unknown) => {
    throw error instanceof LinkspanError ? badAnswer("it is too large", error) : error;
  });
  if (isTooDeep) throw badAnswer("it is nested too deep");
  if (value === undefined) throw badAnswer(`it is not valid JSON${type === "" ? "" : ` (${shownType})`}`);
  return value;
}

/** @returns how much of `timeoutMs` is left for a body */
function startTimer(session: VendorSession, timeoutMs: number): () => number {
  const startedWithMs = session.remainingMs();
  return () => {
    const remainingMs = session.remainingMs();
    const passedMs = startedWithMs - remainingMs;
    const leftMs = Math.max(timeoutMs - passedMs, Math.min(timeoutMs, limits.leastBodyMs));
    return Math.max(1, Math.min(leftMs, remainingMs - limits.reserveMs));
  };
}

async function readRefusal(
  session: VendorSession,
  refusal: ReadRefusal,
  response: VendorResponse,
  timeoutMs: number,
): Promise<LinkspanError> {
  const answer = await readAnswer(response, { maxBytes: MAX_REFUSAL_BYTES, timeoutMs }).catch(
    () => undefined,
  );
  const { status } = response;
  const isPage = answer !== undefined && looksLikeHtml(response, answer);
  const body = answer?.value ?? answer?.text;
  const meaning = refusal(status, body, response.headers);
  // These statuses need no body, because any proxy may send them; other statuses need the vendor's own error.
  const clear = meaning !== undefined || status === 401 || status === 429 || status >= 500 || status === 416;
  if (!clear && (answer === undefined || answer.text === "" || isPage))
    return badAnswer(`${status} without the vendor's own error`);
  return vendorFailure(response, isPage ? undefined : body, meaning, session.secrets());
}

function looksLikeHtml(response: VendorResponse, { text, value }: VendorAnswer): boolean {
  if (value !== undefined) return false;
  return /^text\/html\b/i.test(response.headers["content-type"] ?? "") || /^<(!doctype|html)\b/i.test(text);
}
