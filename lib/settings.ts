import type { Node } from "constructs";
import { refuseMisspelt } from "./misspelt-context.ts";

/**
 * The operator's settings for a deployment; each is a value of the CDK context (`-c name=value`, or
 * cdk.json).
 */
export interface Settings {
  /** Distinguishes deployments in one account; part of each stack's name. */
  readonly stage: string;
  /** Requests per second that the API's stage accepts; `throttleBurst` is the size of a burst. */
  readonly throttleRate: number;
  readonly throttleBurst: number;
  /**
   * Construct id of a function -> executions reserved for it. Default: none, because new accounts have only
   * 10 in total.
   */
  readonly reservedConcurrency: Readonly<Record<string, number>>;
  /** Most workers that run at the same time. */
  readonly workerConcurrency: number;
  /**
   * Partitions of the index of due grants. May change at any time: a sweep reads all partitions that were
   * ever used.
   */
  readonly refreshShards: number;
  /** Grants that were used within this number of days are refreshed ahead of time. */
  readonly activeWindowDays: number;
  readonly logRetentionDays: number;
  /** Retention of the audit log, which is kept when the stacks are deleted. */
  readonly auditRetentionDays: number;
  /** X-Ray tracing of the functions and the stage. */
  readonly tracing: boolean;
  /**
   * Metrics of refreshes for each connector, too. Without them, only queries of the logs show that, and each
   * query costs money.
   */
  readonly connectorMetrics: boolean;
  readonly alarmEmail?: string;
  /** A token that is overdue for longer than this raises the alarm. */
  readonly overdueAlarmMinutes: number;
  readonly domain?: { readonly name: string; readonly certificateArn: string };
  /** Disables the default URL (`…execute-api…`); only with a custom domain. */
  readonly disableExecuteApiEndpoint: boolean;
  /**
   * The web ACL in front of the API's stage: the operator's own, or one that the stacks make. Absent: none.
   */
  readonly waf?: { readonly arn: string } | { readonly requestsPerMinute: number };
  /**
   * Approximate number of requests that each organization may make in a minute. Absent: only the stage's
   * throttle limits them.
   */
  readonly tenantRequestsPerMinute?: number;
  /**
   * Whether this deployment sets the role with which API Gateway writes logs. An account and region has one
   * such role; `false`: the role is managed elsewhere.
   */
  readonly apiGatewayLogRole: boolean;
  /**
   * Path, from the project's root, of a module that exports more connectors for the bundles: vendors of the
   * tests, so that the real functions are tested with behaviour that no vendor of Linkspan has.
   */
  readonly catalogue?: string;
}

export const functionNames = [
  "Authorization",
  "Connections",
  "Documents",
  "Proxy",
  "RefreshSweep",
  "RefreshWorker",
] as const;

/**
 * Allowed values:
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

// https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
const LEAST_RATE_OF_WAF = 10;
const MOST_RATE_OF_WAF = 2_000_000_000;

/**
 * Requests per minute that one address may make: half of the stage's throttle, so that one address does not
 * use it up.
 */
function halfOfThrottle(throttleRate: number): number {
  return throttleRate * 30;
}

/**
 * Reads and checks the context.
 * @throws {Error} a value is invalid; the message names it and lists the allowed values
 */
export function readSettings(node: Node): Settings {
  const known = new Set<string>();
  const read = (name: string): unknown => {
    known.add(name);
    const value: unknown = node.tryGetContext(name);
    return value === "" ? undefined : value;
  };
  const refuse = (name: string, value: unknown, wanted: string): never => {
    throw new Error(`context value ${name} must be ${wanted}, but is ${JSON.stringify(value)}`);
  };
  const text = (name: string, pattern: RegExp, wanted: string): string | undefined => {
    const value = read(name);
    if (value === undefined) return undefined;
    return typeof value === "string" && pattern.test(value) ? value : refuse(name, value, wanted);
  };
  const whole = (name: string, least: number, most: number, otherwise: number): number => {
    const value = read(name) ?? otherwise;
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most)
      return number;
    return refuse(name, value, `a whole number from ${least} to ${most}`);
  };
  const optional = (name: string, least: number, most: number): number | undefined =>
    read(name) === undefined ? undefined : whole(name, least, most, least);
  const yes = (name: string, otherwise: boolean): boolean => {
    const value = read(name) ?? otherwise;
    if (value === true || value === "true") return true;
    return value === false || value === "false" ? false : refuse(name, value, "true or false");
  };

  const retention = (name: string, otherwise: number): number => {
    const days = whole(name, 1, 3653, otherwise);
    return retentionDays.includes(days) ? days : refuse(name, days, `one of ${retentionDays.join(", ")}`);
  };

  const domainName = text(
    "domainName",
    /^(?=.{4,253}$)([a-z0-9-]+\.)+[a-z]{2,}$/,
    "a host name such as api.example.com",
  );
  const certificateArn = text(
    "certificateArn",
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
    "the ARN of a certificate of ACM in the region of the stacks",
  );
  if ((domainName === undefined) !== (certificateArn === undefined))
    throw new Error("set both context values domainName and certificateArn, or neither");
  const disableExecuteApiEndpoint = yes("disableExecuteApiEndpoint", false);
  if (disableExecuteApiEndpoint && domainName === undefined)
    throw new Error(
      "context value disableExecuteApiEndpoint needs domainName and certificateArn: without a custom domain the API would have no URL",
    );
  const throttleRate = whole("throttleRate", 1, 10_000, 500);
  const waf = text(
    "waf",
    /^(managed|arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:regional\/webacl\/[\w-]{1,128}\/[\w-]+)$/,
    "managed, or the ARN of a regional web ACL of AWS WAF in the region of the stacks",
  );
  const wafRequestsPerMinute = optional("wafRequestsPerMinute", LEAST_RATE_OF_WAF, MOST_RATE_OF_WAF);
  if (wafRequestsPerMinute !== undefined && waf !== "managed")
    throw new Error(
      "context value wafRequestsPerMinute needs waf=managed: your own web ACL has its own rules",
    );
  const tenantRequestsPerMinute = optional("tenantRequestsPerMinute", 1, 1_000_000_000);
  const catalogue = text("catalogue", /^[\w./-]+\.ts$/, "the path of a TypeScript module");
  const alarmEmail = text("alarmEmail", /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/, "an e-mail address");

  // Lambda's limits for the maximum concurrency of an SQS event source.
  const workerConcurrency = whole("workerConcurrency", 2, 1_000, 10);
  const reservedConcurrency = readReservedConcurrency(read("reservedConcurrency"), refuse);
  const forWorkers = reservedConcurrency.RefreshWorker ?? Number.POSITIVE_INFINITY;
  // If a worker is throttled after its messages were received, that counts as a try, and the messages may
  // become dead letters.
  if (workerConcurrency > forWorkers)
    refuse(
      "workerConcurrency",
      workerConcurrency,
      `at most reservedConcurrency.RefreshWorker, ${forWorkers}`,
    );

  const settings: Settings = {
    stage:
      text(
        "stage",
        /^[a-z][a-z0-9-]{0,15}$/,
        "1 to 16 lower-case letters, digits and dashes, beginning with a letter",
      ) ?? "dev",
    throttleRate,
    throttleBurst: whole("throttleBurst", 1, 5_000, 1_000),
    reservedConcurrency,
    workerConcurrency,
    refreshShards: whole("refreshShards", 1, 200, 8),
    activeWindowDays: whole("activeWindowDays", 1, 365, 7),
    logRetentionDays: retention("logRetentionDays", 30),
    auditRetentionDays: retention("auditRetentionDays", 365),
    tracing: yes("tracing", false),
    connectorMetrics: yes("connectorMetrics", false),
    ...(alarmEmail === undefined ? {} : { alarmEmail }),
    overdueAlarmMinutes: whole("overdueAlarmMinutes", 2, 1_440, 10),
    ...(domainName === undefined || certificateArn === undefined
      ? {}
      : { domain: { name: domainName, certificateArn } }),
    disableExecuteApiEndpoint,
    ...(waf === undefined
      ? {}
      : {
          waf:
            waf === "managed"
              ? { requestsPerMinute: wafRequestsPerMinute ?? halfOfThrottle(throttleRate) }
              : { arn: waf },
        }),
    ...(tenantRequestsPerMinute === undefined ? {} : { tenantRequestsPerMinute }),
    apiGatewayLogRole: yes("apiGatewayLogRole", true),
    ...(catalogue === undefined ? {} : { catalogue }),
  };
  // Here all settings have been read, so `known` has all their names.
  refuseMisspelt(node, known);
  return settings;
}

/** Reads `{"Documents": 50}`: an object in cdk.json, or the same as text after `-c`. */
function readReservedConcurrency(
  value: unknown,
  refuse: (name: string, value: unknown, wanted: string) => never,
): Record<string, number> {
  const wanted = `an object of ${functionNames.join(", ")} and whole numbers from 1, such as {"Documents": 50}`;
  let given = value ?? {};
  if (typeof given === "string") {
    try {
      given = JSON.parse(given);
    } catch {
      return refuse("reservedConcurrency", value, wanted);
    }
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return refuse("reservedConcurrency", value, wanted);
  for (const [name, number] of Object.entries(given)) {
    const known = (functionNames as readonly string[]).includes(name);
    if (!known || !Number.isInteger(number) || number < 1)
      return refuse("reservedConcurrency", value, wanted);
  }
  return given as Record<string, number>;
}

/** Environment variable for the functions that count refreshes (functions/aws/outcome-metrics.ts). */
export function connectorMetrics(settings: Settings): { readonly CONNECTOR_METRICS?: "true" } {
  return settings.connectorMetrics ? { CONNECTOR_METRICS: "true" } : {};
}
