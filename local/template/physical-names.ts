import { createHash } from "node:crypto";
import { localAccountId, localRegion } from "../aws/types.ts";
import type { Resource, StackTemplate } from "./assembly.ts";

/** The results of `Ref` and `Fn::GetAtt` for a resource. */
export interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Naming {
  /** The resource's name: its property, otherwise made from stack name and logical id. */
  name(property: string, longest: number): string;
  /** A fixed identifier of `length` hex characters. */
  id(length: number): string;
  arn(service: string, resource: string, options?: { readonly global: boolean }): string;
  readonly queueUrl: (name: string) => string;
}

/**
 * Names that CloudFormation would generate. Here they are the same at each start, so that data survives a
 * restart. The last section of each type's page lists its return values:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
 */
const identities: Readonly<Record<string, (naming: Naming) => Identity>> = {
  "AWS::DynamoDB::Table": ({ name, arn }) => {
    const table = name("TableName", 255);
    return { ref: table, attributes: { Arn: arn("dynamodb", `table/${table}`) } };
  },
  "AWS::SQS::Queue": ({ name, arn, queueUrl }) => {
    const queue = name("QueueName", 80);
    return {
      ref: queueUrl(queue),
      attributes: { Arn: arn("sqs", queue), QueueName: queue, QueueUrl: queueUrl(queue) },
    };
  },
  "AWS::S3::Bucket": ({ name, arn }) => {
    const bucket = name("BucketName", 63).toLowerCase();
    return { ref: bucket, attributes: { Arn: arn("s3", bucket, { global: true }) } };
  },
  "AWS::KMS::Key": ({ id, arn }) => {
    const key = id(32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    return { ref: key, attributes: { Arn: arn("kms", `key/${key}`), KeyId: key } };
  },
  "AWS::Lambda::Function": ({ name, arn }) => {
    const lambda = name("FunctionName", 64);
    return { ref: lambda, attributes: { Arn: arn("lambda", `function:${lambda}`) } };
  },
  "AWS::IAM::Role": ({ name, id }) => {
    const role = name("RoleName", 64);
    return {
      ref: role,
      attributes: {
        Arn: `arn:aws:iam::${localAccountId}:role/${role}`,
        RoleId: `AROA${id(17).toUpperCase()}`,
      },
    };
  },
  "AWS::ApiGateway::RestApi": ({ id }) => ({
    ref: id(10),
    attributes: { RootResourceId: `root${id(6)}`, RestApiId: id(10) },
  }),
  "AWS::ApiGateway::Resource": ({ id }) => ({ ref: id(6), attributes: { ResourceId: id(6) } }),
  "AWS::ApiGateway::Deployment": ({ id }) => ({ ref: id(6), attributes: { DeploymentId: id(6) } }),
  "AWS::ApiGateway::Stage": ({ name }) => ({ ref: name("StageName", 128), attributes: {} }),
  "AWS::Logs::LogGroup": ({ name, arn }) => {
    const group = name("LogGroupName", 512);
    return { ref: group, attributes: { Arn: arn("logs", `log-group:${group}:*`) } };
  },
  "AWS::Logs::LogStream": ({ name }) => ({ ref: name("LogStreamName", 512), attributes: {} }),
  "AWS::Pipes::Pipe": ({ name, arn }) => {
    const pipe = name("Name", 64);
    return { ref: pipe, attributes: { Arn: arn("pipes", `pipe/${pipe}`) } };
  },
  "AWS::SNS::Topic": ({ name, arn }) => {
    const topic = name("TopicName", 256);
    return { ref: arn("sns", topic), attributes: { TopicArn: arn("sns", topic), TopicName: topic } };
  },
  "AWS::Scheduler::ScheduleGroup": ({ name, arn }) => {
    const group = name("Name", 64);
    return { ref: group, attributes: { Arn: arn("scheduler", `schedule-group/${group}`) } };
  },
  "AWS::Scheduler::Schedule": ({ name, arn }) => {
    const schedule = name("Name", 64);
    return { ref: schedule, attributes: { Arn: arn("scheduler", `schedule/default/${schedule}`) } };
  },
  "AWS::Events::EventBus": ({ name, arn }) => {
    const bus = name("Name", 256);
    return { ref: bus, attributes: { Arn: arn("events", `event-bus/${bus}`), Name: bus } };
  },
  "AWS::Events::Rule": ({ name, arn }) => {
    const rule = name("Name", 64);
    return { ref: rule, attributes: { Arn: arn("events", `rule/${rule}`) } };
  },
};

/** @returns undefined: the platform does not know the type */
export function physicalIdentity(
  stack: StackTemplate,
  logicalId: string,
  resource: Resource,
  options: { resolve(value: unknown): unknown; queueUrl(name: string): string },
): Identity | undefined {
  const { resolve, queueUrl } = options;
  const digest = createHash("sha256").update(`${stack.name}/${logicalId}`).digest("hex");
  return identities[resource.Type]?.({
    name(property, longest) {
      const given = resolve(resource.Properties?.[property]);
      if (typeof given === "string") return given;
      const made = `${stack.name}-${logicalId}`;
      return made.length <= longest ? made : `${made.slice(0, longest - 9)}-${digest.slice(0, 8)}`;
    },
    id: (length) => digest.slice(0, length),
    arn: (service, name, { global } = { global: false }) =>
      global ? `arn:aws:${service}:::${name}` : `arn:aws:${service}:${localRegion}:${localAccountId}:${name}`,
    queueUrl,
  });
}
