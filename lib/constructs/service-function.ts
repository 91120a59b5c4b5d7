import { ArnFormat, type CfnElement, type Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Effect, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { Settings } from "../settings.ts";
import { bundledCode } from "./bundled-code.ts";

export interface ServiceFunctionProps {
  readonly settings: Settings;
  /** Folder below `functions/` that holds `handler.ts`. */
  readonly folder: string;
  readonly description: string;
  /** Megabytes; Lambda assigns processor time in proportion. */
  readonly memorySize?: number;
  readonly timeout: Duration;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * A Lambda function of Linkspan: Node.js 24 on arm64, ES modules that contain the used commands of the SDK,
 * its own log group with retention, and a role that may only write to this log group until `allow` adds
 * permissions.
 */
export class ServiceFunction extends LambdaFunction {
  readonly logs: LogGroup;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    const { settings } = props;
    const logs = new LogGroup(scope, `${id}Logs`, {
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `Permissions of ${id} of Linkspan ${settings.stage}`,
    });
    super(scope, id, {
      description: props.description,
      code: bundledCode(props.folder, settings),
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout,
      role,
      logGroup: logs,
      // Text, because Lambda's JSON format wraps the output of console.log into another object, in which
      // CloudWatch finds no metrics (https://github.com/awslabs/aws-embedded-metrics-node/pull/158). Log
      // lines are JSON after Lambda's prefix; Logs Insights recognizes this JSON.
      loggingFormat: LoggingFormat.TEXT,
      tracing: settings.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      environment: { STAGE: settings.stage, ...props.environment },
      ...reserved(settings, id),
    });
    this.logs = logs;
    // A separate statement, because Lambda's managed policy for logs allows every log group of the account.
    const streams = Stack.of(this).formatArn({
      service: "logs",
      resource: "log-group",
      resourceName: `${logs.logGroupName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [streams]);
    const logicalId = Stack.of(this).getLogicalId(logs.node.defaultChild as CfnElement);
    this.acknowledgeWildcard(
      `arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<${logicalId}>:*`,
      "Lambda chooses the names of the streams in the function's own log group",
    );
  }

  /** Adds one statement to the function's role. */
  allow(
    actions: readonly string[],
    resources: readonly string[],
    conditions?: Record<string, Record<string, string | string[]>>,
  ): void {
    this.role?.addToPrincipalPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: [...actions],
        resources: [...resources],
        ...(conditions === undefined ? {} : { conditions }),
      }),
    );
  }
  /**
   * Gives cdk-nag the reason why a resource of `allow` ends in a wildcard; `resource` is written as in
   * cdk-nag's finding.
   */
  acknowledgeWildcard(resource: string, reason: string): void {
    if (this.role !== undefined)
      Validations.of(this.role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
}

function reserved(settings: Settings, id: string): { reservedConcurrentExecutions?: number } {
  const number = settings.reservedConcurrency[id];
  return number === undefined ? {} : { reservedConcurrentExecutions: number };
}
