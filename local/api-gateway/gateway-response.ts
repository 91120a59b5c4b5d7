import type { ApiModel } from "../template/api-model.ts";

/**
 * API Gateway's own errors. Types and status codes:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const defaults = {
  ACCESS_DENIED: [403, "Forbidden"],
  BAD_REQUEST_PARAMETERS: [400, "Bad Request"],
  INVALID_SIGNATURE: [403, "The request signature is not valid"],
  MISSING_AUTHENTICATION_TOKEN: [403, "Missing Authentication Token"],
  REQUEST_TOO_LARGE: [413, "Request Too Long"],
  THROTTLED: [429, "Too Many Requests"],
  API_CONFIGURATION_ERROR: [500, "Internal server error"],
  INTEGRATION_TIMEOUT: [504, "Endpoint request timed out"],
  /**
   * The page says 504, but many have seen a 502 for a function that failed or whose answer cannot be read.
   */
  INTEGRATION_FAILURE: [502, "Internal server error"],
} as const;

export type GatewayErrorType = keyof typeof defaults;

/** API Gateway did not get an answer to the request. */
export class GatewayError extends Error {
  readonly type: GatewayErrorType;
  constructor(type: GatewayErrorType, message: string = defaults[type][1], options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** The ids of a request in `$context`: the caller may choose the first, API Gateway makes the second. */
export interface RequestIds {
  readonly requestId: string;
  readonly extendedRequestId: string;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: string;
}

/** An error in the shape that the stacks define, otherwise in AWS's default shape. */
export function gatewayAnswer(
  api: ApiModel,
  error: GatewayError,
  { requestId, extendedRequestId }: RequestIds,
): GatewayAnswer {
  const [defaultStatus] = defaults[error.type];
  const response =
    api.responses.get(error.type) ?? api.responses.get(defaultStatus < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
  const template = response?.template ?? '{"message":$context.error.messageString}';
  const variables: Readonly<Record<string, string>> = {
    "context.requestId": requestId,
    "context.extendedRequestId": extendedRequestId,
    "context.error.responseType": error.type,
    "context.error.message": error.message,
    "context.error.messageString": JSON.stringify(error.message),
  };
  return {
    status: response?.statusCode ?? defaultStatus,
    headers: [
      ["Content-Type", "application/json"],
      ["x-amzn-ErrorType", error.type],
      ...Object.entries(response?.headers ?? {}).map(([name, value]): [string, string] => [
        name,
        value.startsWith("'") ? value.slice(1, -1) : (variables[value] ?? ""),
      ]),
    ],
    body: template.replaceAll(/\$(context\.[\w.]+)/g, (whole, name: string) => variables[name] ?? whole),
  };
}
