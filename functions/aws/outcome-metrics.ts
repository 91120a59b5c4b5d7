import type { GrantOutcome } from "../core/grant/grant-deps.ts";
import type { InstanceEvent } from "../core/grant/instance-event.ts";

/**
 * Namespace of the metrics. They are written in CloudWatch's embedded metric format: one JSON line on stdout,
 * no API call.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 * Each value of a dimension costs money. So outcome and route are dimensions, and the connector is a property
 * that Logs Insights can group by; the connector is a dimension only if the operator has set this.
 */
const METRICS_NAMESPACE = "Linkspan";

type Unit = "Count" | "Milliseconds" | "Seconds";

/**
 * @param dimensions name -> value; `Stage` is added, so that two stages in one account have separate metrics
 * @param metrics name -> [value, unit]
 * @param properties fields for searches in the log, not dimensions; never a secret
 * @param finer further dimensions: the same metrics are counted a second time with these added
 */
function emitMetrics(
  dimensions: Readonly<Record<string, string>>,
  metrics: Readonly<Record<string, readonly [value: number, unit: Unit]>>,
  properties: Readonly<Record<string, unknown>> = {},
  finer: Readonly<Record<string, string>> = {},
): void {
  const all = { Stage: process.env.STAGE ?? "local", ...dimensions };
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          {
            Namespace: METRICS_NAMESPACE,
            Dimensions:
              Object.keys(finer).length === 0
                ? [Object.keys(all)]
                : [Object.keys(all), Object.keys({ ...all, ...finer })],
            Metrics: Object.entries(metrics).map(([Name, [, Unit]]) => ({ Name, Unit })),
          },
        ],
      },
      ...properties,
      ...all,
      ...finer,
      ...Object.fromEntries(Object.entries(metrics).map(([name, [value]]) => [name, value])),
    }),
  );
}

/**
 * Emits the outcome of one HTTP request. Dimensions Stage, Function, Route; metrics Requests, ClientErrors,
 * ServerErrors, Latency (until the headers).
 */
export function requestOutcome(outcome: {
  readonly function: string;
  readonly route: string;
  readonly status: number;
  readonly latencyMs: number;
  readonly durationMs: number;
  readonly requestId: string;
  readonly userAgent?: string;
  readonly connector?: string;
  readonly organizationId?: string;
  readonly instanceId?: number;
}): void {
  const { function: name, route, status, latencyMs, ...properties } = outcome;
  emitMetrics(
    { Function: name, Route: route },
    {
      Requests: [1, "Count"],
      ClientErrors: [status >= 400 && status < 500 ? 1 : 0, "Count"],
      ServerErrors: [status >= 500 ? 1 : 0, "Count"],
      Latency: [latencyMs, "Milliseconds"],
    },
    { status, ...properties },
  );
}

/**
 * Emits the outcome of one refresh. Dimensions Stage, Outcome (optionally also Stage, Connector, Outcome);
 * metrics Refreshes, and, if a token was renewed, TimeLeft.
 */
export function refreshOutcome(outcome: GrantOutcome): void {
  const { outcome: Outcome, timeLeftMs, ...properties } = outcome;
  emitMetrics(
    { Outcome },
    {
      Refreshes: [1, "Count"],
      ...(timeLeftMs === undefined ? {} : { TimeLeft: [timeLeftMs, "Milliseconds"] as const }),
    },
    properties,
    process.env.CONNECTOR_METRICS === "true" ? { Connector: outcome.connector } : {},
  );
}

/**
 * Counts an event that the queue did not accept: no subscriber receives the event. Dimensions Stage; metric
 * LostEvents.
 */
export function eventLost({ name, organizationId, instanceId, connector }: InstanceEvent): void {
  emitMetrics({}, { LostEvents: [1, "Count"] }, { event: name, organizationId, instanceId, connector });
}

/**
 * Counts a grant that the vendor has refused for a long time, and that Linkspan still keeps, because the
 * vendor refuses too many grants of this connector at once. Dimensions Stage; metric HeldGrants.
 * @param told number of refused grants that were due to be given up, and number of the connector's grants
 */
export function grantHeld(
  connector: string,
  told: { readonly refused: number; readonly grants: number },
): void {
  emitMetrics({}, { HeldGrants: [1, "Count"] }, { connector, ...told });
}

/** Emits the outcome of one sweep. Dimensions Stage; metrics Due, Queued, OldestOverdue, RescueRecords. */
export function sweepOutcome(outcome: {
  readonly due: number;
  readonly queued: number;
  readonly oldestOverdueMs: number;
  readonly rescueRecords: number;
}): void {
  emitMetrics(
    {},
    {
      Due: [outcome.due, "Count"],
      Queued: [outcome.queued, "Count"],
      OldestOverdue: [outcome.oldestOverdueMs, "Milliseconds"],
      RescueRecords: [outcome.rescueRecords, "Count"],
    },
  );
}
