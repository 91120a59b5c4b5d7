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
  /** Megabytes; the share of a processor follows. */
  readonly memorySize?: number;
  readonly timeout: Duration;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * A Lambda as we run it: Node.js 24 on arm64, ES modules with the SDK's used commands in them, a log group of its own with
 * retention, and a role that may do nothing but write there until `allow` says more.
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
      description: `What ${id} of Linkspan ${settings.stage} may do`,
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
      // Text, since Lambda's JSON format wraps what console.log writes into another object, and CloudWatch then finds
      // no metrics in it (https://github.com/awslabs/aws-embedded-metrics-node/pull/158). Log lines are JSON after
      // Lambda's prefix, which Logs Insights finds by itself.
      loggingFormat: LoggingFormat.TEXT,
      tracing: settings.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      environment: { STAGE: settings.stage, ...props.environment },
      ...reserved(settings, id),
    });
    this.logs = logs;
    // Written out, since Lambda's managed policy for this allows every log group of the account.
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
      "Lambda makes up the names of the streams in the function's own log group",
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
  /** Says to cdk-nag why a resource that `allow` was given ends in a wildcard; `resource` as its finding has it. */
  acknowledgeWildcard(resource: string, reason: string): void {
    if (this.role !== undefined)
      Validations.of(this.role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
}

function reserved(settings: Settings, id: string): { reservedConcurrentExecutions?: number } {
  const number = settings.reservedConcurrency[id];
  return number === undefined ? {} : { reservedConcurrentExecutions: number };
}
