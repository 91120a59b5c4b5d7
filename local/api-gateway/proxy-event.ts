import type { IncomingMessage } from "node:http";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { localAccountId } from "../aws/types.ts";
import type { ApiModel } from "../template/api-model.ts";
import { findHeader } from "./header-rules.ts";
import type { MatchedRoute } from "./match-route.ts";

export interface ReceivedRequest {
  readonly message: IncomingMessage;
  readonly method: string;
  /** The part after the stage, percent-encoded as sent. */
  readonly path: string;
  /** Without `?`, as sent. */
  readonly query: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly receivedAt: Date;
}

/**
 * The event of a Lambda proxy integration.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
 */
export function proxyEvent(
  api: ApiModel,
  request: ReceivedRequest,
  { resource, pathParameters }: MatchedRoute,
): APIGatewayProxyEvent {
  const { headers, body, receivedAt } = request;
  const query = parseQuery(request.query);
  const sourceIp = request.message.socket.remoteAddress ?? "127.0.0.1";
  const host = findHeader(headers, "host") ?? "";
  const isBinary = isBinaryBody(api.binaryMediaTypes, findHeader(headers, "content-type"));
  return {
    resource: resource.path,
    path: request.path,
    httpMethod: request.method,
    headers: Object.fromEntries([...headers].map(([name, values]) => [name, values.at(-1)])),
    multiValueHeaders: Object.fromEntries([...headers].map(([name, values]) => [name, [...values]])),
    queryStringParameters: orNull(query, (values) => values.at(-1)),
    multiValueQueryStringParameters: orNull(query, (values) => values),
    pathParameters: pathParameters === null ? null : { ...pathParameters },
    stageVariables: null,
    requestContext: {
      resourceId: resource.id,
      resourcePath: resource.path,
      httpMethod: request.method,
      extendedRequestId: request.extendedRequestId,
      requestTime: commonLogTime(receivedAt),
      path: `/${api.stage}${request.path}`,
      accountId: localAccountId,
      protocol: `HTTP/${request.message.httpVersion}`,
      stage: api.stage,
      domainPrefix: host.split(".")[0] ?? "",
      requestTimeEpoch: receivedAt.getTime(),
      requestId: request.requestId,
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp,
        user: null,
        userAgent: findHeader(headers, "user-agent") ?? null,
        userArn: null,
      },
      // On AWS this is the API's host; on a laptop it has a port, too.
      domainName: host,
      apiId: api.id,
      authorizer: undefined,
    },
    body: body.length === 0 ? null : body.toString(isBinary ? "base64" : "utf8"),
    isBase64Encoded: body.length > 0 && isBinary,
  };
}

function orNull<T>(
  query: ReadonlyMap<string, string[]>,
  value: (values: string[]) => T,
): Record<string, T> | null {
  if (query.size === 0) return null;
  return Object.fromEntries([...query].map(([name, values]) => [name, value(values)]));
}

/**
 * Decoded pairs; `;` separates them as `&` does, and the order between names is lost.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis
 * Text with a wrong encoding is passed on unchanged (a guess: no page says it).
 */
function parseQuery(query: string): Map<string, string[]> {
  const pairs = new Map<string, string[]>();
  for (const part of query.split(/[&;]/)) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decode(part.slice(equals + 1));
    pairs.set(name, [...(pairs.get(name) ?? []), value]);
  }
  return pairs;
}

function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html */
function isBinaryBody(binaryMediaTypes: readonly string[], contentType: string | undefined): boolean {
  const type = (contentType ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
  return binaryMediaTypes.some((binary) => binary === "*/*" || binary.toLowerCase() === type);
}

/** `24/Nov/2026:03:14:07 +0000` */
function commonLogTime(date: Date): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/.exec(date.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}
