import { describe, expect, it } from "vitest";
import { find, ofType, synthesize, text } from "./templates.ts";

const { data } = synthesize();
const table = (id: string) => find(data, "AWS::DynamoDB::Table", id);

describe("the tables", () => {
  it.each(["Instances", "Tenants"])("%s is retained, protected and recoverable to any second", (id) => {
    const { Properties, DeletionPolicy, UpdateReplacePolicy } = table(id);
    expect(Properties.DeletionProtectionEnabled).toBe(true);
    expect(Properties.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
  });

  it("are paid per request, and named by CloudFormation", () => {
    const all = ofType(data, "AWS::DynamoDB::Table");
    expect(all).toHaveLength(3);
    for (const [, { Properties }] of all) {
      expect(Properties.BillingMode).toBe("PAY_PER_REQUEST");
      expect(Properties.TableName).toBeUndefined();
    }
  });

  it("Instances has a numeric key, and sparse indexes of due items and of owners", () => {
    const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = table("Instances").Properties;
    const type = (name: string) =>
      AttributeDefinitions.find((each: { AttributeName: string }) => each.AttributeName === name)
        .AttributeType;
    const keys = (schema: { AttributeName: string }[]) =>
      schema.map(({ AttributeName: name }) => `${name}:${type(name)}`).join(" ");
    expect(keys(KeySchema)).toBe("instanceId:N item:S");
    const listed = ["connector", "name", "tags", "createdAt", "userId"];
    expect(
      GlobalSecondaryIndexes.map(
        (index: { IndexName: string; KeySchema: { AttributeName: string }[]; Projection: object }) => [
          index.IndexName,
          keys(index.KeySchema),
          index.Projection,
        ],
      ),
    ).toEqual([
      [
        "due",
        "refreshShard:N dueAt:N",
        { ProjectionType: "INCLUDE", NonKeyAttributes: ["refreshGroup", "dueSince"] },
      ],
      ["owner", "ownerKey:S ownerSort:S", { ProjectionType: "INCLUDE", NonKeyAttributes: listed }],
      [
        "organization",
        "organizationId:S ownerSort:S",
        { ProjectionType: "INCLUDE", NonKeyAttributes: listed },
      ],
      ["consent", "consentKey:S ownerKey:S", { ProjectionType: "KEYS_ONLY" }],
    ]);
  });

  it("Transients expire", () => {
    expect(table("Transients").Properties.TimeToLiveSpecification).toEqual({
      AttributeName: "expires",
      Enabled: true,
    });
  });
});

it("the vault's key rotates and is kept when the stack is deleted", () => {
  const key = find(data, "AWS::KMS::Key");
  expect(key.Properties.EnableKeyRotation).toBe(true);
  expect([key.DeletionPolicy, key.UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
});

describe("the rescue bucket", () => {
  const bucket = find(data, "AWS::S3::Bucket");

  it("is private, requires TLS, and is retained", () => {
    expect(Object.values(bucket.Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    expect([bucket.DeletionPolicy, bucket.UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
    const statements = find(data, "AWS::S3::BucketPolicy").Properties.PolicyDocument.Statement;
    expect(statements.map((each: { Effect: string }) => each.Effect)).toEqual(["Deny", "Deny"]);
  });

  it("keeps deleted and overwritten versions for seven days, removes markers afterwards, and never removes a current record", () => {
    expect(bucket.Properties.VersioningConfiguration).toEqual({ Status: "Enabled" });
    expect(bucket.Properties.LifecycleConfiguration.Rules).toEqual([
      {
        Id: "EndOldVersions",
        Status: "Enabled",
        NoncurrentVersionExpiration: { NoncurrentDays: 7 },
        // S3 does not accept Days beside this member; Days would also remove current records.
        ExpiredObjectDeleteMarker: true,
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
    ]);
  });

  it("gives no function access to versions, so a deleted record is gone for every function", () => {
    const { api, refresh } = synthesize();
    for (const template of [api, refresh])
      for (const [id, { Properties }] of ofType(template, "AWS::IAM::Policy"))
        expect(JSON.stringify(Properties), id).not.toMatch(/s3:[A-Za-z]*Version/);
  });
});

it("the work queue moves a message aside that fails again and again, and requires TLS", () => {
  const queue = find(data, "AWS::SQS::Queue", "RefreshQueue").Properties;
  expect(queue.RedrivePolicy.maxReceiveCount).toBe(5);
  expect(text(queue.RedrivePolicy.deadLetterTargetArn)).toMatch(/^\{RefreshDeadLetters\w+\.Arn\}$/);
  expect(queue.FifoQueue).toBeUndefined();
  const queues = ofType(data, "AWS::SQS::Queue");
  expect(queues).toHaveLength(4);
  for (const [, { Properties }] of queues) expect(Properties.SqsManagedSseEnabled).toBe(true);
  const policies = ofType(data, "AWS::SQS::QueuePolicy");
  expect(policies).toHaveLength(4);
  for (const [, { Properties }] of policies)
    expect(Properties.PolicyDocument.Statement).toEqual([
      expect.objectContaining({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
    ]);
});

it("the work queue keeps messages for days, because an undelivered event is recorded nowhere else", () => {
  const { MessageRetentionPeriod } = find(data, "AWS::SQS::Queue", "RefreshQueue").Properties;
  expect(MessageRetentionPeriod).toBe(4 * 86_400);
  expect(
    find(data, "AWS::SQS::Queue", "RefreshDeadLetters").Properties.MessageRetentionPeriod,
  ).toBeGreaterThan(MessageRetentionPeriod);
});

it("the event bus belongs to the stage, has a name that subscribers can know, and is open to no other account", () => {
  expect(find(data, "AWS::Events::EventBus").Properties.Name).toBe("linkspan-dev");
  expect(find(synthesize({ stage: "prod" }).data, "AWS::Events::EventBus").Properties.Name).toBe(
    "linkspan-prod",
  );
  expect(ofType(data, "AWS::Events::EventBusPolicy")).toEqual([]);
  expect(text(data.Outputs.EventBusName.Value)).toMatch(/^\{Events\w+\}$/);
});

describe("the audit trail", () => {
  it("ends in its own log group, which is kept for a year and when the stack is deleted", () => {
    const group = find(data, "AWS::Logs::LogGroup", "AuditLogs");
    expect(group.Properties.RetentionInDays).toBe(365);
    expect([group.DeletionPolicy, group.UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
    const kept = synthesize({ auditRetentionDays: 3653 }).data;
    expect(find(kept, "AWS::Logs::LogGroup", "AuditLogs").Properties.RetentionInDays).toBe(3653);
  });

  it("is written there by a pipe that may only read its queue and write its log group", () => {
    const { Source, Target, TargetParameters, RoleArn } = find(data, "AWS::Pipes::Pipe").Properties;
    expect([text(Source), text(Target), text(RoleArn)]).toEqual([
      expect.stringMatching(/^\{AuditQueue\w{8}\.Arn\}$/),
      expect.stringMatching(/^\{AuditLogs\w{8}\.Arn\}$/),
      expect.stringMatching(/^\{AuditPipeRole\w{8}\.Arn\}$/),
    ]);
    // Without the attributes of SQS, such as the sender and the receipt handle.
    expect(TargetParameters.InputTemplate).toBe("<$.body>");
    const { Statement } = find(data, "AWS::IAM::Policy", "AuditPipeRole").Properties.PolicyDocument;
    expect(
      Statement.map((each: { Action: string[]; Resource: unknown }) => [each.Action, text(each.Resource)]),
    ).toEqual([
      [["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], text(Source)],
      [["logs:CreateLogStream", "logs:PutLogEvents"], text(Target)],
    ]);
  });

  it("is piped only after the pipe's role may read, and the role trusts only this pipe", () => {
    const pipe = find(data, "AWS::Pipes::Pipe");
    expect(pipe.DependsOn).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^AuditPipeRoleDefaultPolicy/),
        expect.stringMatching(/^AuditStream/),
      ]),
    );
    const [trust] = find(data, "AWS::IAM::Role", "AuditPipeRole").Properties.AssumeRolePolicyDocument
      .Statement;
    expect(pipe.Properties.Name).toBe("linkspan-dev-audit");
    expect(trust.Condition).toEqual({
      StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
      ArnEquals: { "aws:SourceArn": expect.anything() },
    });
    expect(text(trust.Condition.ArnEquals["aws:SourceArn"])).toMatch(
      /^arn:\{AWS::Partition\}:pipes:\{AWS::Region\}:\{AWS::AccountId\}:pipe\/linkspan-dev-audit$/,
    );
  });

  it("keeps its messages for two weeks when the pipe is broken", () => {
    const { MessageRetentionPeriod, RedrivePolicy } = find(data, "AWS::SQS::Queue", "AuditQueue").Properties;
    expect(MessageRetentionPeriod).toBe(14 * 86_400);
    expect(text(RedrivePolicy.deadLetterTargetArn)).toMatch(/^\{AuditDeadLetters\w+\.Arn\}$/);
    expect(find(data, "AWS::SQS::Queue", "AuditDeadLetters").Properties.MessageRetentionPeriod).toBe(
      14 * 86_400,
    );
  });
});

it("the outputs contain the names that the operator's command line needs", () => {
  expect(Object.keys(data.Outputs)).toEqual(
    expect.arrayContaining([
      "InstancesTable",
      "TenantsTable",
      "TransientsTable",
      "VaultKeyArn",
      "RescueBucket",
      "RefreshQueueUrl",
      "EventBusName",
      "RefreshDeadLettersUrl",
      "AuditQueueUrl",
      "AuditLogGroup",
    ]),
  );
});
