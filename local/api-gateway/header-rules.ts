/**
 * What a REST API does to headers on their way to a Lambda proxy integration and back.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis
 */
const droppedFromRequests = new Set([
  "connection",
  "content-md5",
  "expect",
  "keep-alive",
  "max-forwards",
  "proxy-authenticate",
  "proxy-connection",
  "server",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
]);

const droppedFromResponses = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
]);

/**
 * They reach the client as `x-amzn-Remapped-<name>`. (No page says whether streams do this too; we assume
 * that they do.)
 */
const remapped = new Set([
  "authorization",
  "content-md5",
  "date",
  "max-forwards",
  "server",
  "user-agent",
  "www-authenticate",
]);

/** Each name as it was first sent, with its values in their order. */
export type HeaderList = readonly (readonly [name: string, values: readonly string[]])[];

/** The request's headers, without those that API Gateway drops. */
export function requestHeaders(raw: readonly string[]): Map<string, string[]> {
  const names = new Map<string, string>();
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = "", value = ""] = raw.slice(index, index + 2);
    const lower = name.toLowerCase();
    if (droppedFromRequests.has(lower)) continue;
    const known = names.get(lower) ?? name;
    names.set(lower, known);
    headers.set(known, [...(headers.get(known) ?? []), value]);
  }
  return headers;
}

/** Sets one header, whatever case the client wrote its name in. */
export function setHeader(headers: Map<string, string[]>, name: string, value: string): void {
  for (const known of headers.keys()) if (known.toLowerCase() === name.toLowerCase()) headers.delete(known);
  headers.set(name, [value]);
}

export function findHeader(
  headers: ReadonlyMap<string, readonly string[]>,
  name: string,
): string | undefined {
  for (const [known, values] of headers) if (known.toLowerCase() === name) return values.at(-1);
  return undefined;
}

/** The headers of a function's answer, as the client sees them. */
export function responseHeaders(headers: HeaderList): [string, string][] {
  return headers.flatMap(([name, values]) => {
    const lower = name.toLowerCase();
    if (droppedFromResponses.has(lower)) return [];
    const shown = remapped.has(lower) ? `x-amzn-Remapped-${name}` : name;
    return values.map((value): [string, string] => [shown, value]);
  });
}
