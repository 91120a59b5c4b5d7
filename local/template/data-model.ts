import type { AwsBucket, AwsEventBus, AwsKey, AwsQueue, AwsTable } from "../aws/types.ts";
import type { Resources } from "./resources.ts";

/** Tables, queues, buckets, keys and event buses, in the form that the front door takes. */
export interface DataModel {
  readonly tables: readonly AwsTable[];
  readonly queues: readonly (AwsQueue & { readonly arn: string })[];
  readonly buckets: readonly AwsBucket[];
  readonly keys: readonly AwsKey[];
  readonly eventBuses: readonly AwsEventBus[];
}

export function readData(resources: Resources): DataModel {
  return {
    tables: readTables(resources),
    queues: readQueues(resources),
    buckets: readBuckets(resources),
    keys: resources.all("AWS::KMS::Key").map((key) => {
      const { KeySpec = "SYMMETRIC_DEFAULT" } = key.properties([
        "BypassPolicyLockoutSafetyCheck",
        "Description",
        "EnableKeyRotation",
        "Enabled",
        // It allows the account's root, so that the roles' own policies decide.
        "KeyPolicy",
        "KeySpec",
        "KeyUsage",
        "PendingWindowInDays",
        "RotationPeriodInDays",
        "Tags",
      ]);
      if (KeySpec !== "SYMMETRIC_DEFAULT")
        key.refuse(`the local platform has no keys of kind ${String(KeySpec)}`);
      const { ref, attributes } = key.identity();
      return { id: ref, arn: attributes.Arn as string };
    }),
    eventBuses: resources.all("AWS::Events::EventBus").map((bus) => {
      bus.properties(["Description", "Name", "Tags"]);
      return { name: bus.identity().ref };
    }),
  };
}

function readTables(resources: Resources): AwsTable[] {
  return resources.all("AWS::DynamoDB::Table").map((table) => {
    const properties = table.properties([
      "AttributeDefinitions",
      "BillingMode",
      "DeletionProtectionEnabled",
      "GlobalSecondaryIndexes",
      "KeySchema",
      "PointInTimeRecoverySpecification",
      "SSESpecification",
      "TableName",
      "Tags",
      // On AWS, TTL deletes items only after up to some days, so readers check the time themselves. Nothing
      // is deleted here.
      // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
      "TimeToLiveSpecification",
    ]);
    if (properties.BillingMode !== "PAY_PER_REQUEST")
      table.refuse("only tables with the billing mode PAY_PER_REQUEST are known here");
    const indexes = properties.GlobalSecondaryIndexes as AwsTable["globalSecondaryIndexes"];
    return {
      name: table.identity().ref,
      keySchema: properties.KeySchema as AwsTable["keySchema"],
      attributeDefinitions: properties.AttributeDefinitions as AwsTable["attributeDefinitions"],
      ...(indexes === undefined ? {} : { globalSecondaryIndexes: indexes }),
    };
  });
}

function readQueues(resources: Resources): DataModel["queues"] {
  const queues = resources.all("AWS::SQS::Queue");
  const nameByArn = new Map(
    queues.map((queue) => {
      const { attributes } = queue.identity();
      return [attributes.Arn as string, attributes.QueueName as string];
    }),
  );
  return queues.map((queue) => {
    const properties = queue.properties([
      "DelaySeconds",
      "KmsDataKeyReusePeriodSeconds",
      "MessageRetentionPeriod",
      "QueueName",
      "RedriveAllowPolicy",
      "RedrivePolicy",
      "SqsManagedSseEnabled",
      "Tags",
      "VisibilityTimeout",
    ]);
    const { Arn, QueueName } = queue.identity().attributes;
    const redrive = properties.RedrivePolicy as
      | { deadLetterTargetArn: string; maxReceiveCount: number }
      | undefined;
    const deadLetterQueue = nameByArn.get(redrive?.deadLetterTargetArn ?? "");
    if (redrive !== undefined && deadLetterQueue === undefined)
      queue.refuse("its dead-letter queue is in no stack");
    const optional = (name: string, value: unknown) => (value === undefined ? {} : { [name]: Number(value) });
    return {
      name: QueueName as string,
      arn: Arn as string,
      ...optional("visibilityTimeout", properties.VisibilityTimeout),
      ...optional("messageRetentionPeriod", properties.MessageRetentionPeriod),
      ...optional("delay", properties.DelaySeconds),
      ...(redrive === undefined || deadLetterQueue === undefined
        ? {}
        : { redrive: { deadLetterQueue, maxReceiveCount: redrive.maxReceiveCount } }),
    };
  });
}

function readBuckets(resources: Resources): AwsBucket[] {
  return resources.all("AWS::S3::Bucket").map((bucket) => {
    bucket.properties([
      "BucketEncryption",
      "BucketName",
      // Its shortest period is one day, so it has no effect here.
      "LifecycleConfiguration",
      "LoggingConfiguration",
      "OwnershipControls",
      "PublicAccessBlockConfiguration",
      "Tags",
      "VersioningConfiguration",
    ]);
    return { name: bucket.identity().ref };
  });
}
