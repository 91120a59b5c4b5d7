import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup, LogStream } from "aws-cdk-lib/aws-logs";
import { CfnPipe } from "aws-cdk-lib/aws-pipes";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Settings } from "../settings.ts";

/**
 * Who did what, in a log group of its own: a queue that functions may only send to, and a pipe that carries what
 * comes there into the group. So nobody whose deeds are recorded can read, change or delete the record, an event is safe from
 * the moment it is sent, and no function has to be there for it (docs/adr/0016).
 */
export class AuditTrail extends Construct {
  readonly logs: LogGroup;
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.logs = new LogGroup(this, "Logs", {
      retention: settings.auditRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const stream = new LogStream(this, "Stream", {
      logGroup: this.logs,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.deadLetters = new Queue(this, "DeadLetters", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, "Queue", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // The longest there is: an event waits for a pipe that is broken.
      retentionPeriod: Duration.days(14),
      visibilityTimeout: Duration.minutes(5),
      // Half an hour of tries, and then somebody is told: the age of the oldest message does not count what was received
      // more than three times (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html).
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 6 },
    });
    // A name of its own, so that the role can tell its pipe before there is one.
    const name = `linkspan-${settings.stage}-audit`;
    const role = this.role(name);
    const pipe = new CfnPipe(this, "Pipe", {
      name,
      description: `Linkspan ${settings.stage}: audit events, from their queue into their log group`,
      roleArn: role.roleArn,
      source: this.queue.queueArn,
      sourceParameters: { sqsQueueParameters: { batchSize: 10 } },
      target: this.logs.logGroupArn,
      targetParameters: {
        cloudWatchLogsParameters: { logStreamName: stream.logStreamName },
        // The event as it was sent, without what SQS says about it; JSON in a message's body needs no parsing.
        // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
        inputTemplate: "<$.body>",
      },
    });
    // A pipe is refused whose role may not yet read its source: the role's policy is a resource of its own.
    pipe.node.addDependency(stream, role);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html */
  private role(pipeName: string): Role {
    const { account } = Stack.of(this);
    const pipe = Stack.of(this).formatArn({ service: "pipes", resource: "pipe", resourceName: pipeName });
    const role = new Role(this, "PipeRole", {
      // Only this pipe: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
      assumedBy: new ServicePrincipal("pipes.amazonaws.com", {
        conditions: {
          StringEquals: { "aws:SourceAccount": account },
          ArnEquals: { "aws:SourceArn": pipe },
        },
      }),
    });
    for (const [actions, resource] of [
      [["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], this.queue.queueArn],
      [["logs:CreateLogStream", "logs:PutLogEvents"], this.logs.logGroupArn],
    ] as const) {
      role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [resource] }));
    }
    return role;
  }
}
