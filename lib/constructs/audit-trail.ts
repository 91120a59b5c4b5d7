import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup, LogStream } from "aws-cdk-lib/aws-logs";
import { CfnPipe } from "aws-cdk-lib/aws-pipes";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Settings } from "../settings.ts";

/**
 * The audit trail in its own log group: a queue to which functions may only send, and a pipe that writes the
 * queue's events into the log group. So no function can read, change or delete the records of its own
 * actions, an event is safe as soon as it is sent, and no function is needed to write it
 * (docs/adr/0016-audit-trail.md).
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
      // The maximum, because events wait here while the pipe is broken.
      retentionPeriod: Duration.days(14),
      visibilityTimeout: Duration.minutes(5),
      // After half an hour of tries, an event goes to the dead-letter queue, which has an alarm: the age of
      // the oldest message ignores messages that were received more than three times
      // (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html).
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 6 },
    });
    // A fixed name, so that the role can name its pipe before the pipe exists.
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
        // The event as it was sent, without the attributes that SQS adds; JSON in a message's body needs no
        // parsing.
        // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
        inputTemplate: "<$.body>",
      },
    });
    // AWS refuses a pipe whose role may not read the source yet. The dependency is needed because the role's
    // policy is a separate resource.
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
