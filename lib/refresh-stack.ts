import { Duration, Stack, TimeZone } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Schedule, ScheduleExpression, ScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import type { Construct } from "constructs";
import { ServiceFunction } from "./constructs/service-function.ts";
import type { DataStack } from "./data-stack.ts";
import { allowGrants, allowRescue, allowTenants } from "./permissions.ts";
import { connectorMetrics, type Settings } from "./settings.ts";
import { stackProps } from "./stack-props.ts";

/**
 * The schedule, the sweep that it starts each minute, and the workers that handle the messages of the work
 * queue.
 */
export class RefreshStack extends Stack {
  readonly sweep: ServiceFunction;
  readonly worker: ServiceFunction;
  readonly scheduleGroup: ScheduleGroup;

  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly data: DataStack },
  ) {
    const { settings, data } = props;
    super(scope, id, stackProps(id, "scheduled refresh", settings));

    this.sweep = new ServiceFunction(this, "RefreshSweep", {
      settings,
      folder: "refresh-sweep",
      description: "Finds the grants that are due and enqueues them",
      // Memory of a whole processor: if many grants are due, signing requests limits the speed of the sweep,
      // and only one sweep runs at a time (docs/scale.md).
      // https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
      memorySize: 1769,
      timeout: Duration.seconds(60),
      environment: {
        INSTANCES_TABLE: data.instances.tableName,
        TRANSIENTS_TABLE: data.transients.tableName,
        RESCUE_BUCKET: data.rescueBucket.bucketName,
        REFRESH_QUEUE_URL: data.workQueue.queueUrl,
        REFRESH_SHARDS: String(settings.refreshShards),
      },
    });
    // Keeps its old id, although it does work of every kind: another id would make another function with
    // other logs, and operators' settings for reserved concurrency and monitoring use this name.
    this.worker = new ServiceFunction(this, "RefreshWorker", {
      settings,
      folder: "worker",
      description: "Refreshes grants, finishes deletions, restores rescued grants, publishes events",
      timeout: Duration.seconds(300),
      environment: {
        INSTANCES_TABLE: data.instances.tableName,
        TENANTS_TABLE: data.tenants.tableName,
        TRANSIENTS_TABLE: data.transients.tableName,
        VAULT_KEY_ARN: data.vaultKey.keyArn,
        RESCUE_BUCKET: data.rescueBucket.bucketName,
        REFRESH_QUEUE_URL: data.workQueue.queueUrl,
        EVENT_BUS_NAME: data.eventBus.eventBusName,
        REFRESH_SHARDS: String(settings.refreshShards),
        ACTIVE_WINDOW_DAYS: String(settings.activeWindowDays),
        ...connectorMetrics(settings),
      },
    });
    this.worker.addEventSource(
      new SqsEventSource(data.workQueue, {
        batchSize: 10,
        maxConcurrency: settings.workerConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    this.allow(data);
    this.scheduleGroup = this.everyMinute();
  }

  private everyMinute(): ScheduleGroup {
    const group = new ScheduleGroup(this, "Schedules");
    const role = new Role(this, "ScheduleRole", {
      // Only schedules of this group; AWS does not accept the ARN of a single schedule here:
      // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: {
          StringEquals: { "aws:SourceAccount": this.account },
          ArnEquals: { "aws:SourceArn": group.scheduleGroupArn },
        },
      }),
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [this.sweep.functionArn] }),
    );
    new Schedule(this, "SweepSchedule", {
      scheduleGroup: group,
      description: "Starts the refresh sweep",
      schedule: ScheduleExpression.cron({ minute: "*", timeZone: TimeZone.ETC_UTC }),
      target: {
        bind: () => ({
          arn: this.sweep.functionArn,
          role,
          // No retries, because the next minute starts another sweep; the default is 185 retries within a
          // day.
          retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
        }),
      },
    });
    return group;
  }

  private allow(data: DataStack): void {
    allowGrants(this.sweep, data, ["dynamodb:UpdateItem"]);
    this.sweep.allow(["dynamodb:Query"], [`${data.instances.tableArn}/index/due`]);
    this.sweep.allow(["dynamodb:GetItem", "dynamodb:PutItem"], [data.transients.tableArn]);
    this.sweep.allow(["sqs:SendMessage"], [data.workQueue.queueArn]);
    allowRescue(this.sweep, data, []);

    allowTenants(this.worker, data);
    allowGrants(this.worker, data, [
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:DeleteItem",
      // Reads an instance's pending sign-ins, which end with the instance.
      "dynamodb:Query",
    ]);
    this.worker.allow(
      ["dynamodb:Query"],
      // Reads the siblings of a consent, and the instances of a suspended user.
      [`${data.instances.tableArn}/index/consent`, `${data.instances.tableArn}/index/owner`],
    );
    // Counts a connector's instances before refused grants are given up. The index holds ids and names, but
    // no grants.
    this.worker.allow(["dynamodb:Scan"], [`${data.instances.tableArn}/index/organization`]);
    this.worker.allow(
      ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
      [data.transients.tableArn],
    );
    allowRescue(this.worker, data, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]);
    // The worker's own events go through the work queue, too; only the worker puts events on the bus.
    this.worker.allow(["sqs:SendMessage"], [data.workQueue.queueArn]);
    this.worker.allow(["events:PutEvents"], [data.eventBus.eventBusArn]);
  }
}
