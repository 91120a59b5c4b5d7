import type { HttpRequest } from "../../../functions/http/request.ts";

/** A request with these headers and otherwise plain values. */
export function request(
  headers: Readonly<Record<string, string | undefined>> = {},
  more: Partial<HttpRequest> = {},
): HttpRequest {
  return {
    method: "GET",
    path: "/",
    params: {},
    query: new URLSearchParams(),
    headers: Object.fromEntries(
      Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
    body: Buffer.alloc(0),
    requestId: "request-1",
    sourceIp: "127.0.0.1",
    baseUrl: "https://api.example/elements/api-v2",
    remainingMs: () => 120_000,
    afterAnswer: () => {},
    logContext: {},
    ...more,
  };
}
