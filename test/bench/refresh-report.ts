import type { Scenario } from "./measure-refresh.ts";

/**
 * A sweep's reads must not grow with the table: at the largest size they may be at most this many times those at the
 * smallest.
 */
const READS_RATIO_TARGET = 1.2;
/** KMS calls per refresh must be fewer than this: one unwrapped organization key serves many refreshes. */
const KMS_TARGET = 0.01;

export interface Judgement {
  readonly scenarios: readonly Scenario[];
  /** A sweep's DynamoDB read calls at the largest size, divided by those at the smallest size, with the same number due. */
  readonly reads_ratio: number;
  /**
   * The same ratio for the items that these calls returned and the units they consumed: a single call could read a whole
   * table.
   */
  readonly items_ratio: number;
  readonly read_units_ratio: number;
  /** KMS calls per refresh in the scenario with the most refreshes, including the first unwrap of each organization's key. */
  readonly kms_per_refresh: number;
  /** Names of the targets that were missed. */
  readonly missed: readonly string[];
}

/** Compares the measurements with the targets. @throws {Error} no two sizes have the same number due */
export function judge(scenarios: readonly Scenario[]): Judgement {
  const pairs = scenarios.flatMap((small) =>
    scenarios
      .filter(({ instances, due }) => due === small.due && instances > small.instances)
      .map((large) => ({ small, large })),
  );
  const [pair] = pairs.toSorted((a, b) => b.large.instances - a.large.instances);
  const [most] = scenarios.toSorted((a, b) => b.due - a.due);
  if (pair === undefined || most === undefined) throw new Error("no two sizes have equally many due");
  const ratio = (of: "reads" | "items" | "readUnits"): number =>
    rounded(pair.large.sweep[of] / pair.small.sweep[of]);
  const figures = {
    reads_ratio: ratio("reads"),
    items_ratio: ratio("items"),
    read_units_ratio: ratio("readUnits"),
    kms_per_refresh: rounded(most.refresh.kms),
  };
  const missed = [
    ...(["reads_ratio", "items_ratio", "read_units_ratio"] as const).filter(
      (name) => !(figures[name] <= READS_RATIO_TARGET),
    ),
    ...(figures.kms_per_refresh < KMS_TARGET ? [] : ["kms_per_refresh"]),
    ...(scenarios.every(({ wrong }) => wrong.length === 0) ? [] : ["refreshed_once"]),
  ];
  return { scenarios: scenarios.map(roundedScenario), ...figures, missed };
}

function roundedScenario(scenario: Scenario): Scenario {
  const figures = <T extends object>(of: T): T =>
    Object.fromEntries(
      Object.entries(of).map(([name, value]) => [name, rounded(value as number)]),
    ) as unknown as T;
  const { idleSweep, sweep, refresh } = scenario;
  return { ...scenario, idleSweep: figures(idleSweep), sweep: figures(sweep), refresh: figures(refresh) };
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/** The report as text for people. */
export function printable(report: Judgement & { readonly seconds: number; readonly node: string }): string {
  const targets = `reads ratio ${report.reads_ratio} (items ${report.items_ratio}, units ${report.read_units_ratio}), at most ${READS_RATIO_TARGET} · KMS calls per refresh ${report.kms_per_refresh}, under ${KMS_TARGET}`;
  const verdict = report.missed.length === 0 ? "all targets met" : `MISSED: ${report.missed.join(", ")}`;
  return `${tableOf(report.scenarios)}\n${targets}\n${verdict} · ${report.seconds} s on Node ${report.node}\n`;
}

/** The figures as a table, followed by what is wrong with the instances. */
export function tableOf(scenarios: readonly Scenario[]): string {
  const rows = scenarios
    .map(roundedScenario)
    .map(({ instances, due, idleSweep, sweep, refresh }) => [
      instances,
      due,
      `${idleSweep.reads} / ${idleSweep.readUnits}`,
      `${sweep.reads} / ${sweep.readUnits}`,
      sweep.writes,
      sweep.queue,
      `${sweep.ms.toFixed(0)} / ${sweep.cpuMs.toFixed(0)}`,
      refresh.reads.toFixed(2),
      refresh.writes.toFixed(2),
      refresh.queue.toFixed(2),
      refresh.kms.toFixed(4),
      refresh.cpuMs.toFixed(2),
      refresh.perSecond.toFixed(0),
    ]);
  const heads = [
    "instances",
    "due",
    "idle sweep: reads / units",
    "sweep: reads / units",
    "writes",
    "queue",
    "ms / CPU ms",
    "refresh: reads",
    "writes",
    "queue",
    "KMS",
    "CPU ms",
    "per second",
  ];
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => `${row[column]}`.length)),
  );
  const line = (cells: readonly unknown[]): string =>
    cells.map((cell, column) => `${cell}`.padStart(widths[column] ?? 0)).join("  ");
  const wrong = scenarios.flatMap((scenario) => scenario.wrong);
  return `${[line(heads), ...rows.map(line), ...wrong].join("\n")}\n`;
}
