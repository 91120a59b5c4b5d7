import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { ApiStack } from "../api-stack.ts";
import type { DataStack } from "../data-stack.ts";
import type { RefreshStack } from "../refresh-stack.ts";
import type { Settings } from "../settings.ts";
import { EmittedMetrics } from "./emitted-metrics.ts";

const minute = Duration.minutes(1);

export interface AlarmsProps {
  readonly settings: Settings;
  readonly data: DataStack;
  readonly api: ApiStack;
  readonly refresh: RefreshStack;
  readonly topic: ITopic;
}

interface Rule {
  readonly metric: IMetric;
  /** The alarm rings for a value at or above this threshold; with `below`, for a value below it. */
  readonly threshold: number;
  readonly below?: boolean;
  /** The number of periods, out of the last `of`, in which the value must break the threshold. */
  readonly periods: number;
  readonly of?: number;
  /** How missing data counts; default: not breaching, because no event means no error. */
  readonly missing?: TreatMissingData;
  readonly meaning: string;
}

/**
 * Alarms for lost connections, and for causes of such losses. Each alarm has its section in
 * docs/operations/alarms.md.
 */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];
  private readonly props: AlarmsProps;
  private readonly emitted: EmittedMetrics;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.props = props;
    this.emitted = new EmittedMetrics(props.settings.stage);
    this.watchGrants();
    this.watchSchedule();
    this.watchQueue();
    this.watchEvents();
    this.watchAudit();
    this.watchThrottles();
    this.watchApi();
  }

  private watchGrants(): void {
    const { emitted } = this;
    const quarter = Duration.minutes(15);
    this.alarm("OverdueGrants", {
      metric: emitted.sweep("OldestOverdue", "Maximum"),
      threshold: this.props.settings.overdueAlarmMinutes * 60_000,
      // A sweep reports an overdue grant only when it enqueues the grant, every five or six minutes; other
      // sweeps report none.
      periods: 2,
      of: 12,
      missing: TreatMissingData.IGNORE,
      meaning: "Grants are due, but are not refreshed",
    });
    this.alarm("DeadGrants", {
      metric: new MathExpression({
        // At least ten in a quarter of an hour, and at least one in five: the cause is a vendor or an app,
        // not single users. If no grant was refreshed, that metric is missing; sums treat "missing values in
        // a time series" as 0, and FILL makes that explicit.
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax-arithmetic
        expression: "IF(FILL(dead, 0) >= 10, 100 * FILL(dead, 0) / (FILL(dead, 0) + FILL(refreshed, 0)), 0)",
        usingMetrics: {
          dead: emitted.refreshes("needs_reauth", "Refreshes", "Sum", quarter),
          refreshed: emitted.refreshes("refreshed", "Refreshes", "Sum", quarter),
        },
        label: "needs_reauth, percent",
        period: quarter,
      }),
      threshold: 20,
      periods: 1,
      meaning: "Vendors have ended unusually many grants",
    });
    this.alarm("RefusedGrants", {
      metric: emitted.heldGrants(Duration.minutes(15)),
      threshold: 1,
      periods: 1,
      meaning: "A vendor has refused many grants for a week; Linkspan still keeps them",
    });
    this.alarm("FailingRefreshes", {
      metric: new MathExpression({
        expression:
          "IF(FILL(unreachable, 0) + FILL(refused, 0) >= 10, 100 * (FILL(unreachable, 0) + FILL(refused, 0)) / (FILL(unreachable, 0) + FILL(refused, 0) + FILL(refreshed, 0)), 0)",
        usingMetrics: {
          unreachable: emitted.refreshes("unreachable", "Refreshes", "Sum", quarter),
          refused: emitted.refreshes("refused", "Refreshes", "Sum", quarter),
          refreshed: emitted.refreshes("refreshed", "Refreshes", "Sum", quarter),
        },
        label: "unreachable or refused, percent",
        period: quarter,
      }),
      threshold: 50,
      periods: 2,
      meaning: "Most refreshes fail: a vendor's token endpoint is down, or refuses Linkspan's requests",
    });
    this.alarm("ClientRefused", {
      metric: emitted.refreshes("client_refused", "Refreshes", "Sum", Duration.minutes(5)),
      threshold: 1,
      periods: 1,
      meaning: "A vendor refuses a registered app: its client id or secret is wrong",
    });
    this.alarm("LostGrants", {
      metric: emitted.refreshes("lost", "Refreshes", "Sum", Duration.minutes(5)),
      threshold: 1,
      periods: 1,
      meaning: "A new grant could not be stored anywhere, or a revocation was given up",
    });
    this.alarm("RescueRecords", {
      metric: emitted.sweep("RescueRecords", "Maximum"),
      threshold: 1,
      periods: 10,
      missing: TreatMissingData.IGNORE,
      meaning: "Grants stay in the rescue bucket and are not written back to the table",
    });
  }

  private watchSchedule(): void {
    const { sweep, worker } = this.props.refresh;
    this.alarm("SweepNotRunning", {
      // Each finished sweep writes `Due` once, also if nothing is due.
      metric: this.emitted.sweep("Due", "SampleCount", Duration.minutes(5)),
      threshold: 1,
      below: true,
      periods: 2,
      missing: TreatMissingData.BREACHING,
      meaning: "No refresh sweep has finished for ten minutes",
    });
    this.alarm("SweepErrors", {
      metric: sweep.metricErrors({ period: minute, statistic: "Sum" }),
      threshold: 1,
      periods: 3,
      of: 5,
      meaning: "The refresh sweep fails",
    });
    this.alarm("WorkerErrors", {
      metric: worker.metricErrors({ period: minute, statistic: "Sum" }),
      threshold: 1,
      periods: 3,
      of: 5,
      meaning: "Workers fail",
    });
  }

  private watchQueue(): void {
    const { workQueue, deadLetters } = this.props.data;
    this.alarm("QueueAge", {
      metric: workQueue.metricApproximateAgeOfOldestMessage({ period: minute, statistic: "Maximum" }),
      threshold: 15 * 60,
      periods: 5,
      meaning: "Messages of the work queue wait too long: the workers do not keep up",
    });
    this.alarm("DeadLetters", {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({
        period: minute,
        statistic: "Maximum",
      }),
      threshold: 1,
      periods: 1,
      meaning: "Messages of the work queue failed repeatedly and are in the dead-letter queue",
    });
  }

  private watchEvents(): void {
    this.alarm("LostEvents", {
      metric: this.emitted.lostEvents(Duration.minutes(5)),
      threshold: 1,
      periods: 1,
      meaning: "The queue did not accept an event: subscribers do not learn of a change of an instance",
    });
  }

  private watchAudit(): void {
    this.alarm("AuditDelayed", {
      metric: this.props.data.audit.queue.metricApproximateAgeOfOldestMessage({
        period: minute,
        statistic: "Maximum",
      }),
      threshold: 15 * 60,
      periods: 5,
      meaning: "Audit events wait in their queue: the pipe into the audit log does not work",
    });
    this.alarm("AuditDeadLetters", {
      metric: this.props.data.audit.deadLetters.metricApproximateNumberOfMessagesVisible({
        period: minute,
        statistic: "Maximum",
      }),
      threshold: 1,
      periods: 1,
      meaning: "Audit events are in the dead-letter queue: the pipe could not write them into the audit log",
    });
  }

  private watchThrottles(): void {
    const { data, api, refresh } = this.props;
    const functions = [...Object.values(api.functions), refresh.sweep, refresh.worker];
    this.alarm("LambdaThrottles", {
      metric: sum(
        "throttled invocations",
        functions.map((each) => each.metricThrottles({ period: minute, statistic: "Sum" })),
      ),
      threshold: 1,
      periods: 3,
      of: 5,
      meaning: "Lambda refuses to run functions: the account's or a reserved concurrency is used up",
    });
    for (const [id, tableName, operations] of [
      [
        "InstancesThrottles",
        data.instances.tableName,
        ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"],
      ],
      ["TenantsThrottles", data.tenants.tableName, ["GetItem", "Query"]],
      ["TransientsThrottles", data.transients.tableName, ["GetItem", "PutItem", "DeleteItem"]],
    ] as const) {
      this.alarm(id, {
        metric: sum(
          "throttled requests",
          operations.map((operation) => throttledRequests(tableName, operation)),
        ),
        threshold: 1,
        periods: 3,
        of: 5,
        meaning: "DynamoDB throttles requests to a table",
      });
    }
  }

  private watchApi(): void {
    const { api } = this.props;
    const five = { period: Duration.minutes(5), statistic: "Sum" };
    this.alarm("ApiServerErrors", {
      metric: new MathExpression({
        expression: "IF(requests >= 20, 100 * FILL(errors, 0) / requests, 0)",
        usingMetrics: { errors: api.metric("5XXError", five), requests: api.metric("Count", five) },
        label: "5xx, percent",
        period: Duration.minutes(5),
      }),
      threshold: 5,
      periods: 3,
      meaning: "The API answers many requests with 5xx",
    });
  }

  private alarm(id: string, rule: Rule): void {
    const alarm = new Alarm(this, id, {
      alarmName: `linkspan-${this.props.settings.stage}-${id}`,
      alarmDescription: `${rule.meaning}. What to do: docs/operations/alarms.md#${id.toLowerCase()}`,
      metric: rule.metric,
      threshold: rule.threshold,
      comparisonOperator: rule.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: rule.of ?? rule.periods,
      datapointsToAlarm: rule.periods,
      treatMissingData: rule.missing ?? TreatMissingData.NOT_BREACHING,
    });
    const action = new SnsAction(this.props.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    this.all.push(alarm);
  }
}

/**
 * This metric exists only with TableName and Operation:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
 */
export function throttledRequests(tableName: string, operation: string): Metric {
  return new Metric({
    namespace: "AWS/DynamoDB",
    metricName: "ThrottledRequests",
    dimensionsMap: { TableName: tableName, Operation: operation },
    statistic: "Sum",
    period: minute,
    label: operation,
  });
}

function sum(label: string, metrics: readonly Metric[]): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  return new MathExpression({
    expression: Object.keys(usingMetrics)
      .map((id) => `FILL(${id}, 0)`)
      .join(" + "),
    usingMetrics,
    label,
    period: minute,
  });
}
