import { expect, test } from "vitest";
import { measureRefresh } from "./measure-refresh.ts";
import { judge, tableOf } from "./refresh-report.ts";

// Small, so that the test can run with every change: the figures of docs/scale.md come from the same code at full size.
test("a sweep reads only the due instances, and one unwrapped key serves many refreshes", {
  timeout: 60_000,
}, async () => {
  // An instance that was not refreshed exactly once at the vendor, or whose grant does not open, counts as a missed target.
  const scenarios = await measureRefresh({
    organizations: 2,
    scenarios: [
      { instances: 200, due: 40 },
      { instances: 2_000, due: 40 },
      { instances: 2_000, due: 300 },
    ],
  });
  const report = judge(scenarios);

  expect(report).toMatchObject({ reads_ratio: 1, items_ratio: 1, missed: [] });
  // Each shard's query is rounded up to half a unit, so the sum depends a little on how the due instances spread over the
  // shards.
  expect(report.read_units_ratio).toBeLessThanOrEqual(1.2);
  expect(report.kms_per_refresh).toBeCloseTo(2 / 300, 3);
  for (const { due, sweep, idleSweep, refresh } of scenarios) {
    expect(sweep.items).toBe(due);
    // One write for each due grant, and two for the lock.
    expect(sweep.writes).toBe(due + 2);
    expect([sweep.kms, idleSweep.kms, idleSweep.items, idleSweep.s3]).toEqual([0, 0, 0, 1]);
    // Reads: instance, paused client, registered app, and the organization in the first batch, whose refreshes run side by
    // side. Writes: lease and commit.
    expect(refresh.reads).toBeGreaterThanOrEqual(3);
    expect(refresh.reads).toBeLessThanOrEqual(3 + 20 / due);
    expect(refresh.writes).toBe(2);
    expect(refresh.kms).toBeCloseTo(2 / due, 4);
  }
});

test("the report names a missed target", () => {
  const use = { items: 0, readUnits: 1, writeUnits: 0, cpuMs: 1, ms: 1 };
  const calls = { reads: 9, writes: 2, queue: 1, kms: 0, s3: 1 };
  const sweep = { ...calls, ...use, items: 40 };
  const refresh = { ...calls, ...use, perSecond: 100 };
  const small = { instances: 200, due: 40, idleSweep: sweep, sweep, refresh, wrong: [] };
  const large = { ...small, instances: 2_000 };
  expect(judge([small, large]).missed).toEqual([]);
  const scanning = { ...large, sweep: { ...sweep, items: 2_000, readUnits: 10 } };
  expect(judge([small, scanning]).missed).toEqual(["items_ratio", "read_units_ratio"]);
  const paging = { ...large, sweep: { ...sweep, reads: 11 } };
  expect(judge([small, paging]).missed).toEqual(["reads_ratio"]);
  const unwrapping = { ...refresh, kms: 0.01 };
  expect(
    judge([
      { ...small, refresh: unwrapping },
      { ...large, refresh: unwrapping },
    ]).missed,
  ).toEqual(["kms_per_refresh"]);
});

test("figures are printed when an instance is wrong, with the state of that instance", () => {
  const use = { items: 40, readUnits: 1, writeUnits: 0, cpuMs: 1, ms: 1 };
  const calls = { reads: 9, writes: 2, queue: 1, kms: 0, s3: 1 };
  const sweep = { ...calls, ...use };
  const refresh = { ...calls, ...use, perSecond: 137 };
  const wrong = "instance 7 was not committed: version 1, fence 2";
  const small = { instances: 200, due: 40, idleSweep: sweep, sweep, refresh, wrong: [] };
  const scenarios = [small, { ...small, instances: 2_000, wrong: [wrong] }];
  expect(judge(scenarios).missed).toEqual(["refreshed_once"]);
  expect(tableOf(scenarios)).toContain(wrong);
  expect(tableOf(scenarios)).toContain("137");
});
