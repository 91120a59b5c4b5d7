import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { InvalidRequest, type LinkspanError } from "../core/errors.ts";
import { present } from "../core/present.ts";
import type { HttpRequest } from "./request.ts";

/**
 * Prefix of all paths. The stage (`elements`) comes before it if the default URL or a base-path mapping shows
 * the stage.
 */
const BASE = "/api-v2";

/**
 * Turns API Gateway's event into a request. Never throws: puts an error in the request into `invalid`; `findRoute` throws it.
 */
export function readRequest(
  event: APIGatewayProxyEvent,
  context: Pick<Context, "getRemainingTimeInMillis" | "awsRequestId">,
  pending: Promise<unknown>[],
): HttpRequest & { invalid?: LinkspanError } {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {})) {
    if (values) headers[name.toLowerCase()] = values.join(name.toLowerCase() === "cookie" ? "; " : ", ");
  }
  const query = new URLSearchParams();
  const queryPairs: [string, string][] = [];
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    for (const value of values ?? []) {
      queryPairs.push([name, value]);
      // An empty query parameter counts as absent (old clients send `scope=&nextPage=`).
      if (value !== "") query.append(name, value);
    }
  }
  const path = pathBelowBase(event);
  const invalid = /%(?![0-9a-fA-F]{2})/.test(path)
    ? new InvalidRequest(
        "the path holds a % that is not followed by two hexadecimal digits; write it as %25",
        "path",
      )
    : undefined;
  const host = event.requestContext.domainName ?? headers.host ?? "localhost";
  const scheme = headers["x-forwarded-proto"]?.split(",")[0] === "http" ? "http" : "https";
  // In `baseUrl`, `/elements` is the stage of the default URL, or the base-path mapping of a custom domain.
  return {
    method: event.httpMethod,
    path,
    hasDoubleSlashes: withoutDoubleSlashes(event.path) !== event.path,
    params: {},
    query,
    queryPairs,
    headers,
    body:
      event.body === null
        ? Buffer.alloc(0)
        : Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8"),
    // Only API Gateway sets `extendedRequestId`; a caller can set `requestId`.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
    requestId: event.requestContext.extendedRequestId ?? event.requestContext.requestId,
    sourceIp: event.requestContext.identity?.sourceIp ?? "",
    baseUrl: `${scheme}://${host}/elements${BASE}`,
    remainingMs: () => context.getRemainingTimeInMillis(),
    afterAnswer: (work) => {
      pending.push(work);
    },
    logContext: {},
    ...present({ invalid }),
  };
}

/** Client libraries join a base URL that ends in a slash with a path that begins with one. */
function pathBelowBase({ path: sent, requestContext }: APIGatewayProxyEvent): string {
  const stage = `/${requestContext.stage}`;
  let path = withoutDoubleSlashes(sent);
  if (path.startsWith(`${stage}${BASE}`)) path = path.slice(stage.length);
  if (path.startsWith(BASE)) path = path.slice(BASE.length);
  return path === "" ? "/" : path;
}

/** What follows the raw proxy's `/proxy/` is the vendor's own path, and stays as it came. */
function withoutDoubleSlashes(path: string): string {
  const [ours = path] = /^(?:\/+elements)?(?:\/+api-v2)?\/+proxy\/+/.exec(path) ?? [];
  return ours.replace(/\/{2,}/g, "/") + path.slice(ours.length);
}
