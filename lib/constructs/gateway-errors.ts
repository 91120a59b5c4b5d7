import { ResponseType, type RestApi } from "aws-cdk-lib/aws-apigateway";

/**
 * API Gateway's own errors in Linkspan's shape. API Gateway's messages are not passed on, because some of
 * them repeat parts of the request, including the Authorization header. (API Gateway's 413 for bodies above
 * 10 MB cannot be changed.)
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
export function addGatewayErrors(api: RestApi): void {
  const error = (
    id: string,
    type: ResponseType,
    code: string,
    message: string,
    headers: Record<string, string> = {},
  ): void => {
    api.addGatewayResponse(id, {
      type,
      responseHeaders: {
        // Not `context.requestId`: "clients can override this request ID", and a template does not escape it.
        "Elements-Request-Id": "context.extendedRequestId",
        // On the proxy, this header marks errors from Linkspan; errors from the vendor do not have it.
        "Elements-Error-Source": "'linkspan'",
        "Cache-Control": "'no-store'",
        "X-Content-Type-Options": "'nosniff'",
        ...headers,
      },
      templates: {
        "application/json": JSON.stringify({
          requestId: "$context.extendedRequestId",
          message,
          code,
          detail: { reason: "$context.error.responseType" },
        }),
      },
    });
  };
  error(
    "Default4xx",
    ResponseType.DEFAULT_4XX,
    "invalid_request",
    "the request was refused before it reached the API",
  );
  error(
    "Throttled",
    ResponseType.THROTTLED,
    "too_many_requests",
    "too many requests for this deployment; try again later",
    { "Retry-After": "'1'" },
  );
  error(
    "RequestTooLarge",
    ResponseType.REQUEST_TOO_LARGE,
    "payload_too_large",
    "the request is too large: a body may have about 4.5 MB",
  );
  error(
    "RefusedByFirewall",
    ResponseType.WAF_FILTERED,
    "refused_by_firewall",
    "this deployment's firewall refuses the request",
  );
  error("Default5xx", ResponseType.DEFAULT_5XX, "unavailable", "the API could not answer; try again", {
    "Retry-After": "'5'",
  });
}
