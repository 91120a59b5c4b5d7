import { readPolicy } from "../aws/iam.ts";
import type { IamStatement } from "../aws/types.ts";
import type { DataModel } from "./data-model.ts";
import type { RoleModel } from "./function-model.ts";
import type { Resources } from "./resources.ts";

/** A pipe of EventBridge that writes a queue's messages into a log group. */
export interface PipeModel {
  /** The name in calls and refusals; its role's credentials are stored under this name. */
  readonly name: string;
  readonly queueName: string;
  readonly logGroup: string;
  readonly batchSize: number;
  readonly statements: readonly IamStatement[];
}

/** Only the body of each message. */
const BODY = "<$.body>";

/**
 * @throws {UnsupportedTemplate} a source, target or input template that the platform does not know, or a
 * role that may not write to the log stream
 */
export function readPipes(
  resources: Resources,
  roles: ReadonlyMap<string, RoleModel>,
  data: DataModel,
): PipeModel[] {
  return resources.all("AWS::Pipes::Pipe").map((pipe) => {
    const properties = pipe.properties([
      "Description",
      "DesiredState",
      "Name",
      "RoleArn",
      "Source",
      "SourceParameters",
      "Tags",
      "Target",
      "TargetParameters",
    ]);
    const role = roles.get(String(properties.RoleArn));
    if (role === undefined) return pipe.refuse("its role is in no stack");
    const queue = data.queues.find(({ arn }) => arn === properties.Source);
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    const [, group] = /^arn:aws:logs:[^:]*:\d*:log-group:([^:]+):\*$/.exec(String(properties.Target)) ?? [];
    if (queue === undefined || group === undefined)
      return pipe.refuse("only pipes from a queue into a log group are known here");
    const { InputTemplate, CloudWatchLogsParameters } = (properties.TargetParameters ?? {}) as {
      InputTemplate?: string;
      CloudWatchLogsParameters?: { LogStreamName?: string };
    };
    if (InputTemplate !== BODY) pipe.refuse(`only the template ${BODY} is known here`);
    const stream = CloudWatchLogsParameters?.LogStreamName;
    if (stream === undefined) return pipe.refuse("its log stream must be named");
    const policy = readPolicy(role.name, role.statements);
    const resource = String(properties.Target).replace(/\*$/, `log-stream:${stream}`);
    if (!policy.judge({ action: "logs:PutLogEvents", resource }).allowed)
      pipe.refuse("its role may not write to the log stream");
    const { SqsQueueParameters } = (properties.SourceParameters ?? {}) as {
      SqsQueueParameters?: { BatchSize?: number };
    };
    return {
      name: pipe.identity().ref,
      queueName: queue.name,
      logGroup: group,
      batchSize: Math.min(SqsQueueParameters?.BatchSize ?? 10, 10),
      statements: role.statements,
    };
  });
}
