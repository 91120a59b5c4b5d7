import { Duration } from "aws-cdk-lib";
import { type IMetric, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";

const namespace = "Linkspan";

/** Values of the dimension `Function`: the names that the functions pass to `httpFunction`. */
export type HttpFunctionName = "authorization" | "connections" | "documents" | "proxy";

/** The metrics that functions/aws/outcome-metrics.ts writes; a test compares these names with its output. */
export class EmittedMetrics {
  private readonly stage: string;
  private readonly period = Duration.minutes(1);

  constructor(stage: string) {
    this.stage = stage;
  }

  /**
   * Refreshes with one outcome: `Refreshes` counts them, `TimeLeft` is how long the old token would have been
   * valid (ms).
   */
  refreshes(
    outcome: string,
    metricName: "Refreshes" | "TimeLeft" = "Refreshes",
    statistic = "Sum",
    period = this.period,
  ): Metric {
    return this.metric(metricName, { Outcome: outcome }, statistic, period, outcome);
  }

  /** Refreshes by outcome, one line for each outcome. */
  refreshesByOutcome(): IMetric {
    return this.search("Refreshes", ["Stage", "Outcome"], "", "Sum", (search) => search);
  }

  /** Events that no subscriber receives, because the queue did not accept them. */
  lostEvents(period = this.period): Metric {
    return this.metric("LostEvents", {}, "Sum", period, "LostEvents");
  }

  /** Refused grants that are not given up, because too many grants of their connector are refused. */
  heldGrants(period = this.period): Metric {
    return this.metric("HeldGrants", {}, "Sum", period, "HeldGrants");
  }

  /** Refreshes by connector and outcome, one line for each; written only if `connectorMetrics` is set. */
  refreshesByConnector(): IMetric {
    return this.search("Refreshes", ["Stage", "Connector", "Outcome"], "", "Sum", (search) => search);
  }

  /**
   * Least time left of an old token at its renewal, for each connector (ms); written only if
   * `connectorMetrics` is set.
   */
  timeLeftByConnector(): IMetric {
    return this.search("TimeLeft", ["Stage", "Connector", "Outcome"], "", "Minimum", (search) => search);
  }

  /** Metrics of the sweeps. */
  sweep(
    metricName: "Due" | "Queued" | "OldestOverdue" | "RescueRecords",
    statistic: string,
    period = this.period,
  ): Metric {
    return this.metric(metricName, {}, statistic, period, metricName);
  }

  /** Requests of one function, or of all, added up over their routes. */
  requests(
    metricName: "Requests" | "ClientErrors" | "ServerErrors",
    label: string,
    name?: HttpFunctionName,
  ): IMetric {
    const only = name === undefined ? "" : ` Function="${name}"`;
    return this.search(
      metricName,
      ["Stage", "Function", "Route"],
      only,
      "Sum",
      (search) => `SUM(${search})`,
      label,
    );
  }

  /** The ten routes with the highest values, one line for each. */
  topRoutes(
    metricName: "Requests" | "ClientErrors" | "ServerErrors" | "Latency",
    statistic: "Sum" | "p50" | "p95" | "p99",
  ): IMetric {
    const by = statistic === "Sum" ? "SUM" : "MAX";
    return this.search(
      metricName,
      ["Stage", "Function", "Route"],
      "",
      statistic,
      (search) => `SORT(${search}, ${by}, DESC, 10)`,
    );
  }

  private metric(
    metricName: string,
    dimensions: Record<string, string>,
    statistic: string,
    period: Duration,
    label: string,
  ): Metric {
    return new Metric({
      namespace,
      metricName,
      dimensionsMap: { Stage: this.stage, ...dimensions },
      statistic,
      period,
      label,
    });
  }

  /** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html (not for alarms) */
  private search(
    metricName: string,
    dimensions: readonly string[],
    only: string,
    statistic: string,
    around: (search: string) => string,
    label = "",
  ): IMetric {
    const schema = [namespace, ...dimensions].join(",");
    const search = `SEARCH('{${schema}} MetricName="${metricName}" Stage="${this.stage}"${only}', '${statistic}')`;
    return new MathExpression({ expression: around(search), label, period: Duration.minutes(5) });
  }
}
