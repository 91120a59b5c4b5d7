import { describe, expect, it } from "vitest";
import { find, ofType, synthesize, text } from "./templates.ts";

const { data } = synthesize();
const table = (id: string) => find(data, "AWS::DynamoDB::Table", id);

describe("the tables", () => {
  it.each(["Instances", "Tenants"])("%s is kept, guarded and recoverable to any second", (id) => {
    const { Properties, DeletionPolicy, UpdateReplacePolicy } = table(id);
    expect(Properties.DeletionProtectionEnabled).toBe(true);
    expect(Properties.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
    expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
  });

  it("are paid by the request, and named by CloudFormation", () => {
    const all = ofType(data, "AWS::DynamoDB::Table");
    expect(all).toHaveLength(3);
    for (const [, { Properties }] of all) {
      expect(Properties.BillingMode).toBe("PAY_PER_REQUEST");
      expect(Properties.TableName).toBeUndefined();
    }
  });

  it("holds instances by number, with sparse indexes of what is due and of who owns what", () => {
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

  it("lets transients expire", () => {
    expect(table("Transients").Properties.TimeToLiveSpecification).toEqual({
      AttributeName: "expires",
      Enabled: true,
    });
  });
});

it("the vault's key rotates and outlives the stack", () => {
  const key = find(data, "AWS::KMS::Key");
  expect(key.Properties.EnableKeyRotation).toBe(true);
  expect([key.DeletionPolicy, key.UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
});

describe("the rescue bucket", () => {
  const bucket = find(data, "AWS::S3::Bucket");

  it("is private, by TLS only, and kept", () => {
    expect(Object.values(bucket.Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    expect([bucket.DeletionPolicy, bucket.UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
    const statements = find(data, "AWS::S3::BucketPolicy").Properties.PolicyDocument.Statement;
    expect(statements.map((each: { Effect: string }) => each.Effect)).toEqual(["Deny", "Deny"]);
  });

  it("keeps what was deleted or overwritten for seven days, markers too, and ends no record that is in use", () => {
    expect(bucket.Properties.VersioningConfiguration).toEqual({ Status: "Enabled" });
    expect(bucket.Properties.LifecycleConfiguration.Rules).toEqual([
      {
        Id: "EndOldVersions",
        Status: "Enabled",
        NoncurrentVersionExpiration: { NoncurrentDays: 7 },
        // S3 takes no Days beside it, which would end living records, too.
        ExpiredObjectDeleteMarker: true,
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
    ]);
  });

  it("shows versions to no function: a deleted record is gone for all of them", () => {
    const { api, refresh } = synthesize();
    for (const template of [api, refresh])
      for (const [id, { Properties }] of ofType(template, "AWS::IAM::Policy"))
        expect(JSON.stringify(Properties), id).not.toMatch(/s3:[A-Za-z]*Version/);
  });
});

it("the work queue puts aside what fails again and again, and takes TLS only", () => {
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

it("keeps messages for days: an event that nobody took is told nowhere else", () => {
  const { MessageRetentionPeriod } = find(data, "AWS::SQS::Queue", "RefreshQueue").Properties;
  expect(MessageRetentionPeriod).toBe(4 * 86_400);
  expect(
    find(data, "AWS::SQS::Queue", "RefreshDeadLetters").Properties.MessageRetentionPeriod,
  ).toBeGreaterThan(MessageRetentionPeriod);
});

it("the event bus is the stage's own, by a name that subscribers know without asking, and open to nobody else", () => {
  expect(find(data, "AWS::Events::EventBus").Properties.Name).toBe("linkspan-dev");
  expect(find(synthesize({ stage: "prod" }).data, "AWS::Events::EventBus").Properties.Name).toBe(
    "linkspan-prod",
  );
  expect(ofType(data, "AWS::Events::EventBusPolicy")).toEqual([]);
  expect(text(data.Outputs.EventBusName.Value)).toMatch(/^\{Events\w+\}$/);
});

describe("the audit trail", () => {
  it("ends in a log group of its own, kept for a year and longer than the stack", () => {
    const group = find(data, "AWS::Logs::LogGroup", "AuditLogs");
    expect(group.Properties.RetentionInDays).toBe(365);
    expect([group.DeletionPolicy, group.UpdateReplacePolicy]).toEqual(["Retain", "Retain"]);
    const kept = synthesize({ auditRetentionDays: 3653 }).data;
    expect(find(kept, "AWS::Logs::LogGroup", "AuditLogs").Properties.RetentionInDays).toBe(3653);
  });

  it("is carried there by a pipe that may read its queue and write its group, and nothing else", () => {
    const { Source, Target, TargetParameters, RoleArn } = find(data, "AWS::Pipes::Pipe").Properties;
    expect([text(Source), text(Target), text(RoleArn)]).toEqual([
      expect.stringMatching(/^\{AuditQueue\w{8}\.Arn\}$/),
      expect.stringMatching(/^\{AuditLogs\w{8}\.Arn\}$/),
      expect.stringMatching(/^\{AuditPipeRole\w{8}\.Arn\}$/),
    ]);
    // Without what SQS adds: who sent it, its receipt handle.
    expect(TargetParameters.InputTemplate).toBe("<$.body>");
    const { Statement } = find(data, "AWS::IAM::Policy", "AuditPipeRole").Properties.PolicyDocument;
    expect(
      Statement.map((each: { Action: string[]; Resource: unknown }) => [each.Action, text(each.Resource)]),
    ).toEqual([
      [["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], text(Source)],
      [["logs:CreateLogStream", "logs:PutLogEvents"], text(Target)],
    ]);
  });

  it("is piped only once the pipe's role may read, and by this pipe alone", () => {
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

  it("loses nothing for two weeks when the pipe is broken", () => {
    const { MessageRetentionPeriod, RedrivePolicy } = find(data, "AWS::SQS::Queue", "AuditQueue").Properties;
    expect(MessageRetentionPeriod).toBe(14 * 86_400);
    expect(text(RedrivePolicy.deadLetterTargetArn)).toMatch(/^\{AuditDeadLetters\w+\.Arn\}$/);
    expect(find(data, "AWS::SQS::Queue", "AuditDeadLetters").Properties.MessageRetentionPeriod).toBe(
      14 * 86_400,
    );
  });
});

it("tells the operator's command line where everything is", () => {
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
