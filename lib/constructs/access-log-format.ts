import { AccessLogField, AccessLogFormat } from "aws-cdk-lib/aws-apigateway";

/**
 * One JSON line for each request, only with values that no caller can choose: API Gateway puts a variable
 * into the format unchanged, and a format has no function that escapes a quote in a value (`$util` is for
 * mapping templates only). So:
 * - the user agent is in the functions' own log line for each request, where it is escaped
 *   (functions/aws/outcome-metrics.ts),
 * - the request's id is the one that API Gateway makes, because "clients can override" `$context.requestId`,
 * - the resource (`/api-v2/instances/{proxy+}`) replaces the path, which may contain names of files and
 *   accounts,
 * - there is no query string (codes, states) and no header.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
export const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextExtendedRequestId(),
    time: AccessLogField.contextRequestTimeEpoch(),
    sourceIp: AccessLogField.contextIdentitySourceIp(),
    method: AccessLogField.contextHttpMethod(),
    resource: AccessLogField.contextResourcePath(),
    protocol: AccessLogField.contextProtocol(),
    status: AccessLogField.contextStatus(),
    responseBytes: AccessLogField.contextResponseLength(),
    latencyMs: AccessLogField.contextResponseLatency(),
    functionLatencyMs: AccessLogField.contextIntegrationLatency(),
    functionRequestId: AccessLogField.contextAwsEndpointRequestId(),
    errorType: AccessLogField.contextErrorResponseType(),
  }),
);
