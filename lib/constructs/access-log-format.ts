import { AccessLogField, AccessLogFormat } from "aws-cdk-lib/aws-apigateway";

/**
 * One JSON line for each request, of values that no caller can choose: API Gateway puts a variable into the format as it is,
 * and a format has no function that would escape a quote in it (`$util` is for mapping templates only). So:
 * - the user agent stands in the functions' own line for each request, where it is quoted (functions/aws/outcome-metrics.ts),
 * - the request's id is the one that API Gateway makes; `$context.requestId` is one that "clients can override",
 * - the resource (`/api-v2/instances/{proxy+}`) stands for the path, which also names files and accounts,
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
