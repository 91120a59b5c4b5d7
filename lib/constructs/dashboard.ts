import { Aws, Duration } from "aws-cdk-lib";
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type GraphWidgetProps,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  Metric,
  TextWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import type { ApiStack } from "../api-stack.ts";
import type { DataStack } from "../data-stack.ts";
import type { RefreshStack } from "../refresh-stack.ts";
import type { Settings } from "../settings.ts";
import { throttledRequests } from "./alarms.ts";
import { EmittedMetrics } from "./emitted-metrics.ts";
import type { ServiceFunction } from "./service-function.ts";

const five = Duration.minutes(5);

export interface DashboardProps {
  readonly settings: Settings;
  readonly data: DataStack;
  readonly api: ApiStack;
  readonly refresh: RefreshStack;
  readonly alarms: readonly Alarm[];
}

/** One page that shows whether connections work; docs/operations/dashboard.md explains how to read it. */
export function addDashboard(scope: Construct, id: string, props: DashboardProps): Dashboard {
  const { stage } = props.settings;
  const emitted = new EmittedMetrics(stage);
  const dashboard = new Dashboard(scope, id, {
    // Names of dashboards must be unique across all regions of an account.
    dashboardName: `linkspan-${stage}-${Aws.REGION}`,
    defaultInterval: Duration.hours(12),
  });
  dashboard.addWidgets(
    new TextWidget({ markdown: `# Linkspan ${stage}`, width: 24, height: 1 }),
    new AlarmStatusWidget({ title: "Alarms", alarms: [...props.alarms], width: 24, height: 4 }),
  );
  dashboard.addWidgets(heading("Requests"));
  dashboard.addWidgets(...requestWidgets(emitted, props));
  dashboard.addWidgets(heading("Refreshes"));
  dashboard.addWidgets(...refreshWidgets(emitted, props));
  dashboard.addWidgets(heading("Queue, functions, tables"));
  dashboard.addWidgets(...serviceWidgets(props));
  return dashboard;
}

function requestWidgets(emitted: EmittedMetrics, { api }: DashboardProps): IWidget[] {
  const names = ["authorization", "connections", "documents", "proxy"] as const;
  return [
    graph("Requests by function", {
      left: names.map((name) => emitted.requests("Requests", name, name)),
      stacked: true,
    }),
    graph("Errors", {
      left: [
        emitted.requests("ClientErrors", "client errors (4xx)"),
        emitted.requests("ServerErrors", "server errors (5xx)"),
      ],
    }),
    graph("API Gateway", {
      left: [
        api.metric("Count", { statistic: "Sum", period: five, label: "requests" }),
        api.metric("4XXError", { statistic: "Sum", period: five, label: "4xx" }),
        api.metric("5XXError", { statistic: "Sum", period: five, label: "5xx" }),
      ],
      right: [api.metric("Latency", { statistic: "p95", period: five, label: "latency p95" })],
    }),
    graph("Requests by route: the ten busiest", { left: [emitted.topRoutes("Requests", "Sum")] }),
    graph("Latency by route, p95: the ten slowest", { left: [emitted.topRoutes("Latency", "p95")] }),
    graph("Server errors by route: the ten worst", { left: [emitted.topRoutes("ServerErrors", "Sum")] }),
    logTable(
      "Requests by connector, from the logs",
      [api.functions.connections, api.functions.documents, api.functions.proxy],
      [
        "filter ispresent(Requests) and ispresent(connector)",
        "stats sum(Requests) as requests, sum(ClientErrors) as clientErrors, sum(ServerErrors) as serverErrors, pct(Latency, 95) as latencyP95 by connector",
        "sort requests desc",
      ],
    ),
  ];
}

function refreshWidgets(emitted: EmittedMetrics, { settings, api, refresh }: DashboardProps): IWidget[] {
  return [
    graph("Refreshes by outcome", { left: [emitted.refreshesByOutcome()], stacked: true }),
    graph("Due and queued", {
      left: [emitted.sweep("Due", "Maximum", five), emitted.sweep("Queued", "Sum", five)],
    }),
    graph("Oldest overdue grant", {
      left: [emitted.sweep("OldestOverdue", "Maximum", five)],
      leftAnnotations: [{ value: settings.overdueAlarmMinutes * 60_000, label: "alarm" }],
      leftYAxis: { label: "ms", showUnits: false, min: 0 },
    }),
    graph("Time left of the old token at its renewal", {
      left: ["Minimum", "p10", "p50"].map((statistic) =>
        emitted.refreshes("refreshed", "TimeLeft", statistic, five).with({ label: statistic }),
      ),
      leftYAxis: { label: "ms", showUnits: false },
    }),
    graph("Grants lost or ended", {
      left: [
        ...["needs_reauth", "client_refused", "lost"].map((outcome) =>
          emitted.refreshes(outcome, "Refreshes", "Sum", five),
        ),
        emitted.heldGrants(five),
      ],
    }),
    graph("Lost events", { left: [emitted.lostEvents(five)] }),
    ...(settings.connectorMetrics
      ? [
          graph("Refreshes by connector", {
            left: [emitted.refreshesByConnector()],
            right: [emitted.timeLeftByConnector()],
            rightYAxis: { label: "least time left, ms", showUnits: false },
            width: 16,
          }),
        ]
      : []),
    graph("Rescue records", { left: [emitted.sweep("RescueRecords", "Maximum", five)] }),
    logTable(
      "Refreshes by connector, from the logs",
      [refresh.worker, api.functions.connections, api.functions.documents, api.functions.proxy],
      [
        "filter ispresent(Refreshes)",
        "stats sum(Refreshes) as refreshes by connector, Outcome, cause",
        "sort refreshes desc",
      ],
    ),
  ];
}

function serviceWidgets({ data, api, refresh }: DashboardProps): IWidget[] {
  const functions = { ...api.functions, sweep: refresh.sweep, worker: refresh.worker };
  const each = (metric: (from: ServiceFunction) => Metric): Metric[] =>
    Object.entries(functions).map(([label, from]) => metric(from).with({ label, period: five }));
  const tables = { instances: data.instances, tenants: data.tenants, transients: data.transients };
  const consumed = (metricName: string): Metric[] =>
    Object.entries(tables).map(
      ([label, { tableName }]) =>
        new Metric({
          namespace: "AWS/DynamoDB",
          metricName,
          dimensionsMap: { TableName: tableName },
          statistic: "Sum",
          period: five,
          label: `${label} ${metricName === "ConsumedReadCapacityUnits" ? "read" : "written"}`,
        }),
    );
  return [
    graph("Work queue", {
      left: [
        data.workQueue.metricApproximateNumberOfMessagesVisible({
          period: five,
          statistic: "Maximum",
          label: "waiting",
        }),
        data.workQueue.metricApproximateNumberOfMessagesNotVisible({
          period: five,
          statistic: "Maximum",
          label: "being handled",
        }),
        data.deadLetters.metricApproximateNumberOfMessagesVisible({
          period: five,
          statistic: "Maximum",
          label: "dead letters",
        }),
      ],
      right: [
        data.workQueue.metricApproximateAgeOfOldestMessage({
          period: five,
          statistic: "Maximum",
          label: "age of the oldest message, s",
        }),
      ],
    }),
    graph("Schedule", {
      left: ["InvocationAttemptCount", "TargetErrorCount", "InvocationDroppedCount"].map(
        (metricName) =>
          new Metric({
            namespace: "AWS/Scheduler",
            metricName,
            dimensionsMap: { ScheduleGroup: refresh.scheduleGroup.scheduleGroupName },
            statistic: "Sum",
            period: five,
            label: metricName,
          }),
      ),
    }),
    graph("Function errors", { left: each((from) => from.metricErrors({ statistic: "Sum" })) }),
    graph("Function throttles", { left: each((from) => from.metricThrottles({ statistic: "Sum" })) }),
    graph("Function duration, p95", { left: each((from) => from.metricDuration({ statistic: "p95" })) }),
    graph("Concurrent executions", {
      left: each((from) => from.metric("ConcurrentExecutions", { statistic: "Maximum" })),
    }),
    graph("DynamoDB throttles", {
      left: Object.entries(tables).flatMap(([label, { tableName }]) =>
        ["GetItem", "UpdateItem", "PutItem", "Query"].map((operation) =>
          throttledRequests(tableName, operation).with({ label: `${label} ${operation}`, period: five }),
        ),
      ),
    }),
    graph("DynamoDB capacity units", {
      left: consumed("ConsumedReadCapacityUnits"),
      right: consumed("ConsumedWriteCapacityUnits"),
    }),
    graph("DynamoDB latency of reading an instance", {
      left: ["p50", "p99"].map(
        (statistic) =>
          new Metric({
            namespace: "AWS/DynamoDB",
            metricName: "SuccessfulRequestLatency",
            dimensionsMap: { TableName: data.instances.tableName, Operation: "GetItem" },
            statistic,
            period: five,
            label: statistic,
          }),
      ),
    }),
  ];
}

function graph(title: string, props: GraphWidgetProps): GraphWidget {
  return new GraphWidget({ title, width: 8, height: 6, ...props });
}

function heading(text: string): TextWidget {
  return new TextWidget({ markdown: `## ${text}`, width: 24, height: 1 });
}

function logTable(title: string, from: readonly ServiceFunction[], queryLines: string[]): LogQueryWidget {
  return new LogQueryWidget({
    title,
    logGroupNames: from.map((each) => each.logs.logGroupName),
    queryLines,
    view: LogQueryVisualizationType.TABLE,
    width: 24,
    height: 6,
  });
}
