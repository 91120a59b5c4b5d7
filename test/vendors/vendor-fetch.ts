import { request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { StandIn } from "../../local/vendors/stand-in.ts";

/**
 * A `fetch` that sends a vendor's own https URLs to its stand-in and keeps the Host header. Official SDKs run unmodified with
 * it, and a call to any other host fails.
 */
export function vendorFetch(standIn: Pick<StandIn, "origin" | "hosts">): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, {
      ...init,
      ...(init?.body == null ? {} : { duplex: "half" }),
    } as RequestInit);
    const url = new URL(request.url);
    if (!standIn.hosts.includes(url.host)) throw new TypeError(`the SDK went to ${url.host}`);
    const answer = await send(standIn.origin, url, request);
    const isEmpty = answer.statusCode === 204 || answer.statusCode === 304 || request.method === "HEAD";
    if (isEmpty) answer.resume();
    const body = isEmpty
      ? null
      : (Readable.toWeb(answer) as unknown as ConstructorParameters<typeof Response>[0]);
    const response = new Response(body, { status: answer.statusCode ?? 0, headers: headersOf(answer) });
    Object.defineProperty(response, "url", { value: request.url });
    return response;
  };
}

function send(origin: string, url: URL, request: Request): Promise<IncomingMessage> {
  return new Promise((answered, failed) => {
    const outgoing = httpRequest(`${origin}${url.pathname}${url.search}`, {
      method: request.method,
      headers: { ...Object.fromEntries(request.headers), host: url.host },
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(20_000)]),
    });
    outgoing.on("response", answered);
    outgoing.on("error", failed);
    if (request.body === null) outgoing.end();
    else Readable.fromWeb(request.body as ReadableStream).pipe(outgoing);
  });
}

function headersOf(answer: IncomingMessage): [string, string][] {
  return Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
}
