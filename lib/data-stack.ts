import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { EventBus } from "aws-cdk-lib/aws-events";
import { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { AuditTrail } from "./constructs/audit-trail.ts";
import type { Settings } from "./settings.ts";
import { stackProps } from "./stack-props.ts";

/**
 * Six times the worker's timeout, as Lambda recommends:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
const workVisibility = Duration.minutes(30);

/** How long a deleted or overwritten rescue record can be restored. */
const rescueVersionsKept = Duration.days(7);

/**
 * Resources that must outlive every deployment: tables, the vault's key, the bucket, the audit log; and
 * resources that other stacks or subscribers share: the queues and the event bus.
 */
export class DataStack extends Stack {
  readonly instances: Table;
  readonly tenants: Table;
  readonly transients: Table;
  readonly vaultKey: Key;
  readonly rescueBucket: Bucket;
  readonly workQueue: Queue;
  readonly deadLetters: Queue;
  readonly eventBus: EventBus;
  readonly audit: AuditTrail;

  constructor(scope: Construct, id: string, { settings }: { readonly settings: Settings }) {
    super(scope, id, stackProps(id, "tables, key, bucket, queues, event bus", settings));

    this.instances = this.keptTable("Instances", { name: "instanceId", type: AttributeType.NUMBER });
    this.instances.addGlobalSecondaryIndex({
      indexName: "due",
      partitionKey: { name: "refreshShard", type: AttributeType.NUMBER },
      sortKey: { name: "dueAt", type: AttributeType.NUMBER },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ["refreshGroup", "dueSince"],
    });
    for (const [indexName, partition] of [
      ["owner", "ownerKey"],
      ["organization", "organizationId"],
    ] as const) {
      this.instances.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: partition, type: AttributeType.STRING },
        sortKey: { name: "ownerSort", type: AttributeType.STRING },
        projectionType: ProjectionType.INCLUDE,
        nonKeyAttributes: ["connector", "name", "tags", "createdAt", "userId"],
      });
    }
    // A sparse index by both keys: only items of connectors whose revocation ends a whole consent have
    // `consentKey`, and an instance that is being deleted has no `ownerKey`. No refresh changes this index.
    this.instances.addGlobalSecondaryIndex({
      indexName: "consent",
      partitionKey: { name: "consentKey", type: AttributeType.STRING },
      sortKey: { name: "ownerKey", type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.tenants = this.keptTable("Tenants", { name: "id", type: AttributeType.STRING });
    this.transients = new Table(this, "Transients", {
      partitionKey: { name: "id", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.DEFAULT,
      timeToLiveAttribute: "expires",
      removalPolicy: RemovalPolicy.DESTROY,
    });

    Validations.of(this.transients).acknowledge({
      id: "AwsSolutions-DDB3",
      reason: "All items expire, most within an hour, and need no backup",
    });

    this.vaultKey = new Key(this, "VaultKey", {
      description: `Linkspan ${settings.stage}: wraps the organizations' data keys`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    // A record that is deleted or overwritten by mistake can be restored for some days. No function may read
    // or delete old versions. The content of a record stays sealed with the organization's data key.
    this.rescueBucket = new Bucket(this, "Rescue", {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [
        {
          id: "EndOldVersions",
          noncurrentVersionExpiration: rescueVersionsKept,
          // Deletes a delete marker after all versions of its object have expired.
          expiredObjectDeleteMarker: true,
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });

    Validations.of(this.rescueBucket).acknowledge({
      id: "AwsSolutions-S1",
      reason:
        "Only Linkspan's functions use it, a few times a year; an operator can log its use with CloudTrail's data events",
    });

    // The ids and outputs of these two queues have old names: the queue used to carry refreshes only. With
    // another id, CloudFormation would make another queue, and the messages in the old queue would be lost.
    this.deadLetters = new Queue(this, "RefreshDeadLetters", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.workQueue = new Queue(this, "RefreshQueue", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: workVisibility,
      // A refresh message is worthless after a day, because its grant has become due again; but an event
      // would be lost.
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });

    // A fixed name, so that subscribers can use it in their rules.
    this.eventBus = new EventBus(this, "Events", {
      eventBusName: `linkspan-${settings.stage}`,
      description: `Linkspan ${settings.stage}: what happens to instances (docs/events.md)`,
    });
    this.audit = new AuditTrail(this, "Audit", settings);

    this.output("InstancesTable", this.instances.tableName);
    this.output("TenantsTable", this.tenants.tableName);
    this.output("TransientsTable", this.transients.tableName);
    this.output("VaultKeyArn", this.vaultKey.keyArn);
    this.output("RescueBucket", this.rescueBucket.bucketName);
    this.output("RefreshQueueUrl", this.workQueue.queueUrl);
    this.output("EventBusName", this.eventBus.eventBusName);
    this.output("RefreshDeadLettersUrl", this.deadLetters.queueUrl);
    this.output("AuditQueueUrl", this.audit.queue.queueUrl);
    this.output("AuditLogGroup", this.audit.logs.logGroupName);
  }

  private keptTable(id: string, partitionKey: { name: string; type: AttributeType }): Table {
    return new Table(this, id, {
      partitionKey,
      sortKey: { name: "item", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      // A key that AWS owns is enough, because Linkspan seals all secrets of an item before it writes the
      // item.
      encryption: TableEncryption.DEFAULT,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  private output(name: string, value: string): void {
    new CfnOutput(this, name, { value });
  }
}
