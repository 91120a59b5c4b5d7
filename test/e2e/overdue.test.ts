import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";

const MINUTE = 60_000;

interface AlarmProperties {
  readonly AlarmName: string;
  readonly Metrics: readonly {
    readonly MetricStat: { readonly Metric: { readonly MetricName: string }; readonly Period: number };
  }[];
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
}

let platform: RunningPlatform;
let app: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());

/** The alarm as it is deployed. */
function alarm(name: string): AlarmProperties {
  const template = JSON.parse(
    readFileSync(new URL("../../cdk.out/linkspan-dev-observability.template.json", import.meta.url), "utf8"),
  ) as { Resources: Record<string, { Properties: AlarmProperties }> };
  const found = Object.values(template.Resources).find(
    ({ Properties }) => Properties?.AlarmName === `linkspan-dev-${name}`,
  );
  if (found === undefined) throw new Error(`no alarm ${name}`);
  return found.Properties;
}

/** Lets a minute pass and runs one sweep; returns the value that the sweep wrote for a metric. */
async function minuteOf(metric: string): Promise<number> {
  platform.clock.advance(MINUTE);
  expect(await platform.sweep()).toMatchObject({ ok: true });
  const records = platform.lambda.metrics("RefreshSweep") as readonly Record<string, number>[];
  return records.at(-1)?.[metric] ?? 0;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html: M out of N datapoints. */
function rings(datapoints: readonly number[], rule: AlarmProperties): boolean {
  const window = datapoints.slice(-rule.EvaluationPeriods);
  return window.filter((value) => value >= rule.Threshold).length >= rule.DatapointsToAlarm;
}

it("OverdueGrants raises an alarm when a worker fails for 20 minutes though every sweep sends messages, and stops when the worker works", {
  timeout: 120_000,
}, async () => {
  const rule = alarm("OverdueGrants");
  expect(rule.Metrics.map(({ MetricStat: { Metric, Period } }) => [Metric.MetricName, Period])).toEqual([
    ["OldestOverdue", 60],
  ]);
  const { id } = await app.connect("dropbox");
  const expiresAt = async () =>
    Date.parse((await app.platform<{ expiresAt: string }>("GET", `/instances/${id}/status`)).body.expiresAt);
  const before = await expiresAt();
  platform.frontDoor.removePermission("RefreshWorker", "dynamodb:GetItem");
  platform.clock.advance(0.81 * (before - platform.clock.now()));

  const seen: number[] = [];
  for (let minute = 0; minute < 20; minute++) seen.push(await minuteOf("OldestOverdue"));
  expect(Math.max(...seen)).toBeGreaterThan(10 * MINUTE);
  expect(rings(seen, rule)).toBe(true);
  expect(await expiresAt()).toBe(before);

  platform.frontDoor.restorePermissions();
  // After the queue's visibility timeout the worker gets the failed messages again.
  platform.clock.advance(30 * MINUTE);
  await platform.settled();
  expect(await expiresAt()).toBeGreaterThan(before);
  for (let minute = 0; minute < 12; minute++) seen.push(await minuteOf("OldestOverdue"));
  expect(rings(seen, rule)).toBe(false);
});
