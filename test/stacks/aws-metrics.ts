/**
 * The metrics of AWS that our alarms and widgets read, each with its dimensions and with AWS's page. A metric that is read
 * with other dimensions gives no error; it stays empty.
 */
const pages: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html": {
    "AWS/ApiGateway [ApiName, Stage]": ["Count", "4XXError", "5XXError", "Latency"],
  },
  "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html": {
    "AWS/Lambda [FunctionName]": ["Errors", "Throttles", "Duration", "ConcurrentExecutions"],
  },
  "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html":
    {
      "AWS/SQS [QueueName]": [
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
      ],
    },
  "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html": {
    "AWS/DynamoDB [Operation, TableName]": ["ThrottledRequests", "SuccessfulRequestLatency"],
    "AWS/DynamoDB [TableName]": ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"],
  },
  "https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html": {
    "AWS/Scheduler [ScheduleGroup]": ["InvocationAttemptCount", "TargetErrorCount", "InvocationDroppedCount"],
  },
};

/** `namespace name [dimensions]` of each metric. */
export const documentedMetrics: ReadonlySet<string> = new Set(
  Object.values(pages).flatMap((page) =>
    Object.entries(page).flatMap(([key, names]) => {
      const [namespace, dimensions] = key.split(/ (?=\[)/);
      return names.map((name) => `${namespace} ${name} ${dimensions}`);
    }),
  ),
);
