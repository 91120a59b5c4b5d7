import { globSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  eventLost,
  grantHeld,
  refreshOutcome,
  requestOutcome,
  sweepOutcome,
} from "../../functions/aws/outcome-metrics.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import { endings, outcomes, toldOn } from "../grant/endings.ts";
import { documentedMetrics } from "./aws-metrics.ts";
import { find, type Json, ofType, parts, synthesize, type Template, text } from "./templates.ts";

const { observability } = synthesize({ alarmEmail: "ops@example.com" });
const byConnector = synthesize({ connectorMetrics: true });
const root = new URL("../../", import.meta.url);
const handbook = readFileSync(new URL("docs/operations/alarms.md", root), "utf8");

/** A metric that an alarm or a widget reads. */
interface Asked {
  readonly by: string;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}
const key = (namespace: string, name: string, dimensions: readonly string[]) =>
  `${namespace} ${name} [${[...dimensions].sort().join(", ")}]`;

const alarmsOf = (template: Template): Json[] =>
  ofType(template, "AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
const alarms = alarmsOf(observability);

const askedByAlarms: Asked[] = alarms.flatMap((alarm) => {
  const metrics: Json[] =
    alarm.Metrics === undefined
      ? [alarm]
      : alarm.Metrics.flatMap((each: Json) =>
          each.MetricStat === undefined ? [] : [each.MetricStat.Metric],
        );
  return metrics.map((metric) => ({
    by: alarm.AlarmName,
    namespace: metric.Namespace,
    name: metric.MetricName,
    dimensions: Object.fromEntries(
      (metric.Dimensions ?? []).map((each: Json) => [each.Name, text(each.Value)]),
    ),
  }));
});

const widgetsOf = (template: Template): Json[] =>
  JSON.parse(text(find(template, "AWS::CloudWatch::Dashboard").Properties.DashboardBody)).widgets;
const widgets = widgetsOf(observability);

/** What the rows of a widget read: a metric, or a search over metrics. */
const askedBy = (all: readonly Json[]): Asked[] =>
  all.flatMap(({ properties }) =>
    (properties.metrics ?? []).flatMap((row: Json[]) => {
      const by = properties.title;
      if (typeof row[0] === "string") {
        const [namespace, name, ...pairs]: string[] = row.filter((each) => typeof each === "string");
        const dimensions: Record<string, string> = {};
        for (let at = 0; at < pairs.length; at += 2)
          dimensions[pairs[at] as string] = pairs[at + 1] as string;
        return [{ by, namespace: namespace as string, name: name as string, dimensions }];
      }
      const search = /SEARCH\('\{(.*?)\} MetricName="(\w+)"(.*?)', '\w+'\)/.exec(row[0].expression);
      if (search === null) throw new Error(`cannot read ${row[0].expression}`);
      const [namespace, ...names] = (search[1] as string).split(",") as [string, ...string[]];
      const given = Object.fromEntries(
        [...(search[3] as string).matchAll(/(\w+)="([^"]*)"/g)].map((one) => one.slice(1)),
      );
      const dimensions = Object.fromEntries(names.map((each) => [each, given[each] ?? "*"]));
      for (const each of Object.keys(given)) expect(names).toContain(each);
      return [{ by, namespace, name: search[2] as string, dimensions }];
    }),
  );
const askedByWidgets = askedBy(widgets);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Runs an action and returns the records that it writes for CloudWatch, one per line. */
function written(work: () => void): Json[] {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  work();
  return lines.map((line) => JSON.parse(line));
}

/** The records that the code can write for CloudWatch, one per call. */
function emitted(): Json[] {
  return written(() => {
    requestOutcome({
      function: "documents",
      route: "getFile",
      status: 200,
      latencyMs: 1,
      durationMs: 2,
      requestId: "r",
      connector: "dropbox",
      organizationId: "o",
      instanceId: 1,
    });
    for (const outcome of outcomes)
      refreshOutcome({
        outcome,
        connector: "dropbox",
        instanceId: 1,
        cause: "schedule",
        timeLeftMs: 1,
        error: "e",
        errorDescription: "d",
      });
    eventLost({
      name: "instance.created",
      id: "e",
      at: 1,
      organizationId: "o",
      userId: "u",
      instanceId: 1,
      connector: "dropbox",
    });
    grantHeld("dropbox", { refused: 2, grants: 3 });
    sweepOutcome({ due: 1, queued: 1, oldestOverdueMs: 1, rescueRecords: 1 });
  });
}

function emittedKeys(): Set<string> {
  return new Set(
    emitted().flatMap((record) =>
      record._aws.CloudWatchMetrics.flatMap((directive: Json) =>
        directive.Dimensions.flatMap((dimensions: string[]) =>
          directive.Metrics.map((metric: Json) => key(directive.Namespace, metric.Name, dimensions)),
        ),
      ),
    ),
  );
}

describe("every alarm and every widget", () => {
  const asked = [...askedByAlarms, ...askedByWidgets];

  it("reads a metric that our code emits or that AWS documents, with exactly these dimensions", () => {
    const ours = emittedKeys();
    expect(asked.filter((each) => each.namespace === "Linkspan").length).toBeGreaterThan(25);
    expect(asked.filter((each) => each.namespace !== "Linkspan").length).toBeGreaterThan(50);
    for (const { by, namespace, name, dimensions } of asked) {
      const wanted = key(namespace, name, Object.keys(dimensions));
      expect(namespace === "Linkspan" ? ours : documentedMetrics, by).toContain(wanted);
    }
  });

  it("uses only dimension values that exist", () => {
    const folders = globSync("functions/*/routes.ts", { cwd: root.pathname }).map(
      (path) => path.split("/")[1],
    );
    for (const { by, namespace, dimensions } of asked) {
      if (namespace === "Linkspan") expect(dimensions.Stage, by).toBe("dev");
      if (dimensions.Outcome !== undefined && dimensions.Outcome !== "*")
        expect(outcomes, by).toContain(dimensions.Outcome);
      if (dimensions.Function !== undefined && dimensions.Function !== "*")
        expect(folders, by).toContain(dimensions.Function);
    }
  });

  it("together cover every metric that the code emits", () => {
    const read = new Set(
      askedByWidgets.map((each) => key(each.namespace, each.name, Object.keys(each.dimensions))),
    );
    for (const each of emittedKeys()) expect(read).toContain(each);
  });
});

describe("with connectorMetrics", () => {
  /** The metrics that a deployment's functions emit with this value of their variable. */
  function emittedKeysOf(value: string | undefined): Set<string> {
    vi.stubEnv("CONNECTOR_METRICS", value);
    return emittedKeys();
  }
  const variables = (stacks: typeof byConnector): Record<string, string | undefined> =>
    Object.fromEntries(
      parts.flatMap((part) =>
        ofType(stacks[part], "AWS::Lambda::Function").map(([id, { Properties }]) => [
          id.replace(/[0-9A-F]{8}$/, ""),
          Properties.Environment?.Variables.CONNECTOR_METRICS,
        ]),
      ),
    );

  it("counts refreshes and the time left of their tokens by connector too, and otherwise does not", () => {
    const wanted = ["Refreshes", "TimeLeft"].map((name) =>
      key("Linkspan", name, ["Stage", "Connector", "Outcome"]),
    );
    const [without, given] = [emittedKeysOf(undefined), emittedKeysOf("true")];
    for (const each of wanted) {
      expect(given).toContain(each);
      expect(without).not.toContain(each);
    }
    expect([...without].every((each) => given.has(each))).toBe(true);
    vi.stubEnv("CONNECTOR_METRICS", "true");
    expect(emitted().find(({ Outcome }) => Outcome === "refreshed")).toMatchObject({
      Connector: "dropbox",
      connector: "dropbox",
      Refreshes: 1,
    });
  });

  it("sets the variable of the functions that refresh, and of no others", () => {
    expect(variables(byConnector)).toEqual({
      Authorization: undefined,
      Connections: "true",
      Documents: "true",
      Proxy: "true",
      RefreshSweep: undefined,
      RefreshWorker: "true",
    });
    expect(Object.values(variables(synthesize())).every((value) => value === undefined)).toBe(true);
  });

  it("adds one widget, which reads the additional metrics, and changes no alarm", () => {
    const more = widgetsOf(byConnector.observability).filter(
      ({ properties }) => properties.title === "Refreshes by connector",
    );
    expect(more).toHaveLength(1);
    expect(widgets.filter(({ properties }) => properties.title === "Refreshes by connector")).toEqual([]);
    const ours = emittedKeysOf("true");
    const all = askedBy(widgetsOf(byConnector.observability)).filter(
      ({ namespace }) => namespace === "Linkspan",
    );
    const read = new Set(all.map((each) => key(each.namespace, each.name, Object.keys(each.dimensions))));
    expect([...read].sort()).toEqual([...ours].sort());
    const names = (from: readonly Json[]) =>
      from.map((alarm) => [alarm.AlarmName, alarm.Metrics, alarm.Threshold]);
    expect(JSON.stringify(names(alarmsOf(byConnector.observability)))).toBe(JSON.stringify(names(alarms)));
  });
});

it("widgets with log queries use only fields that the code writes", () => {
  const queries = widgets.filter((widget) => widget.type === "log");
  expect(queries).toHaveLength(2);
  const fields = new Set(emitted().flatMap((record) => Object.keys(record)));
  for (const { properties } of queries) {
    const used = [
      ...properties.query.matchAll(/\b(?:ispresent|sum|pct)\((\w+)/g),
      ...properties.query.matchAll(/ by (.*)/g),
    ].flatMap((match) => match[1].split(/, */));
    expect(used.length).toBeGreaterThan(3);
    for (const field of used) expect(fields).toContain(field.trim());
  }
});

it("functions use their folders' names in metrics", () => {
  const handlers = globSync("functions/*/routes.ts", { cwd: root.pathname }).map(
    (path) => path.split("/")[1],
  );
  expect(handlers.sort()).toEqual(["authorization", "connections", "documents", "proxy"]);
  for (const folder of handlers)
    expect(readFileSync(new URL(`functions/${folder}/handler.ts`, root), "utf8")).toContain(
      `name: "${folder}"`,
    );
});

describe("each outcome that an alarm or a widget reads", () => {
  const awaited = [...askedByAlarms, ...askedByWidgets].filter(({ dimensions }) => "Outcome" in dimensions);

  it.each(endings)("%s: is reported by the grant's code after %s", async (outcome, _, way) => {
    const told = (await toldOn(way)).filter((each) => each.outcome === outcome);
    expect(told).toHaveLength(1);
    const [record] = written(() => told.forEach(refreshOutcome));
    for (const { by, name, dimensions } of awaited) {
      if (dimensions.Outcome === outcome) expect(record?.[name], by).toEqual(expect.any(Number));
    }
  });

  it("can happen in at least one way", () => {
    const names = new Set(awaited.map(({ dimensions }) => dimensions.Outcome));
    names.delete("*");
    expect(names.size).toBeGreaterThan(4);
    for (const name of names) expect(outcomes).toContain(name);
  });
});

describe("the alarms", () => {
  const topic = Object.keys(observability.Resources).find(
    (id) => id.startsWith("AlarmTopic") && !id.includes("Policy"),
  );

  it("notify the topic when they begin and when they end", () => {
    expect(alarms.length).toBeGreaterThan(12);
    for (const alarm of alarms)
      for (const actions of [alarm.AlarmActions, alarm.OKActions]) {
        expect(actions, alarm.AlarmName).toHaveLength(1);
        expect(text(actions[0])).toContain(`{${topic}`);
      }
  });

  it("each have a section in the operator's handbook, which has no section for a removed alarm", () => {
    const sections = [...handbook.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
    expect(alarms.map((alarm) => alarm.AlarmName.replace("linkspan-dev-", "")).sort()).toEqual(
      sections.sort(),
    );
    for (const alarm of alarms) {
      const anchor = alarm.AlarmName.replace("linkspan-dev-", "").toLowerCase();
      expect(alarm.AlarmDescription).toMatch(new RegExp(`docs/operations/alarms\\.md#${anchor}$`));
    }
  });

  it("have in each section what the alarm means, where to look, what to do, and what comes after", () => {
    const sections = handbook.split(/^## /m).filter((section) => /^\w+\n/.test(section));
    expect(sections).toHaveLength(alarms.length);
    for (const section of sections) {
      const parts = [...section.matchAll(/^\*\*(.+?):\*\*/gm)].map((match) => match[1]);
      expect(parts, section.split("\n")[0]).toEqual(["Means", "Look at", "Do", "Afterwards"]);
    }
  });

  it("have handbook queries that use only fields and outcomes that the code writes", () => {
    const queries = [...handbook.matchAll(/ask "[^ ]+(?: api \w+\))?" '([^']+)'/g)].map(
      (match) => match[1] ?? "",
    );
    expect(queries.length).toBeGreaterThanOrEqual(8);
    const fieldsWritten = new Set(emitted().flatMap((record) => Object.keys(record)));
    const known = [
      ...fieldsWritten,
      "level",
      "reason",
      "sourceIp",
      "times",
      "last",
      "@timestamp",
      "@message",
      "@type",
    ];
    for (const query of queries) {
      const fields = [
        ...query.matchAll(/(?:filter|and|or) (?:ispresent\()?([@\w]+)/g),
        ...query.matchAll(/ by ([@\w]+(?:, *[@\w]+)*)/g),
        ...query.matchAll(/sort ([@\w]+)/g),
      ].flatMap((match) => (match[1] ?? "").split(/, */));
      expect(fields.length, query).toBeGreaterThan(0);
      for (const field of fields) expect(known, query).toContain(field);
    }
    for (const [, outcome] of handbook.matchAll(/Outcome !?= "(\w+)"/g)) expect(outcomes).toContain(outcome);
  });

  it("see an overdue grant twice in the time of two pushes", () => {
    const rule = alarms.find((alarm) => alarm.AlarmName === "linkspan-dev-OverdueGrants");
    // A sweep that begins a moment too early sees the grant a minute later.
    const seenEveryMinutes = timing.pushMs / 60_000 + 1;
    expect(rule.EvaluationPeriods).toBeGreaterThanOrEqual(rule.DatapointsToAlarm * seenEveryMinutes);
  });

  it("treat missing data of the sweep as an alarm, and no other missing data", () => {
    for (const alarm of alarms)
      expect(alarm.TreatMissingData === "breaching", alarm.AlarmName).toBe(
        alarm.AlarmName === "linkspan-dev-SweepNotRunning",
      );
  });

  const onlyOurAlarms = {
    StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
    ArnLike: {
      "aws:SourceArn": {
        "Fn::Join": [
          "",
          [
            "arn:",
            { Ref: "AWS::Partition" },
            ":cloudwatch:",
            { Ref: "AWS::Region" },
            ":",
            { Ref: "AWS::AccountId" },
            ":alarm:linkspan-dev-*",
          ],
        ],
      },
    },
  };

  it("publish to the topic with a key of ours, which CloudWatch may use only for this stage's alarms", () => {
    const topicKey = find(observability, "AWS::SNS::Topic").Properties.KmsMasterKeyId;
    expect(text(topicKey)).toMatch(/^\{AlarmKey\w{8}\.Arn\}$/);
    const key = find(observability, "AWS::KMS::Key", "AlarmKey");
    expect(key.Properties.EnableKeyRotation).toBe(true);
    const statements: Json[] = key.Properties.KeyPolicy.Statement;
    const services = statements.filter((each) => each.Principal.Service !== undefined);
    expect(services).toEqual([
      {
        Sid: "AllowAlarms",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: "*",
        Condition: onlyOurAlarms,
      },
    ]);
    // Each alarm's name matches the condition.
    for (const alarm of alarms) expect(alarm.AlarmName).toMatch(/^linkspan-dev-/);
  });

  it("may publish, only over TLS, and reach the operator's mailbox", () => {
    const statements: Json[] = find(observability, "AWS::SNS::TopicPolicy").Properties.PolicyDocument
      .Statement;
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: "Allow",
        Action: "sns:Publish",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Condition: onlyOurAlarms,
      }),
    );
    expect(statements).toContainEqual(
      expect.objectContaining({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
    );
    expect(find(observability, "AWS::SNS::Subscription").Properties).toMatchObject({
      Protocol: "email",
      Endpoint: "ops@example.com",
    });
  });
});
