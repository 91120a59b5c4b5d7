import { describe, expect, it } from "vitest";
import { functionNames } from "../../lib/settings.ts";
import { find, type Json, ofType, parts, type Resource, synthesize, text } from "./templates.ts";

const stacks = synthesize();
const all = new Map<string, Resource>();
for (const part of parts)
  for (const [id, resource] of ofType(stacks[part], "AWS::Lambda::Function"))
    all.set(id.replace(/[0-9A-F]{8}$/, ""), resource);
const templateOf = (name: string) => (name.startsWith("Refresh") ? stacks.refresh : stacks.api);

interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition: Json;
}

const list = (value: Json): Json[] => (Array.isArray(value) ? value : [value]);

function statementsOf(name: string): Statement[] {
  const policy = find(templateOf(name), "AWS::IAM::Policy", `${name}Role`);
  return policy.Properties.PolicyDocument.Statement.map((each: Json) => {
    expect(each.Effect).toBe("Allow");
    return {
      actions: list(each.Action),
      resources: list(each.Resource).map(text),
      condition: each.Condition,
    };
  });
}

/** What a function may do to resources whose name begins with `resource`; index names follow a slash. */
function allowed(name: string, resource: string): string[] {
  const found = statementsOf(name)
    .filter((each) => each.resources.some((one) => one.startsWith(`{${resource}`)))
    .flatMap((each) => each.actions);
  return [...new Set(found)].sort();
}

describe("the functions", () => {
  it("are six, each Node.js 24 on arm64 with its own log group", () => {
    expect([...all.keys()].sort()).toEqual([...functionNames].sort());
    const groups = new Set<string>();
    for (const [name, { Properties }] of all) {
      expect(Properties.Runtime).toBe("nodejs24.x");
      expect(Properties.Architectures).toEqual(["arm64"]);
      const group = text(Properties.LoggingConfig.LogGroup);
      groups.add(group);
      expect(find(templateOf(name), "AWS::Logs::LogGroup", `${name}Logs`).Properties.RetentionInDays).toBe(
        30,
      );
    }
    expect(groups.size).toBe(6);
  });

  it("have different code", () => {
    expect(new Set([...all.values()].map((each) => text(each.Properties.Code.S3Key))).size).toBe(6);
  });

  it("log as text, because the metrics would be lost in Lambda's JSON format", () => {
    for (const { Properties } of all.values()) expect(Properties.LoggingConfig.LogFormat).toBe("Text");
  });

  it("have the timeout that their work needs", () => {
    expect(Object.fromEntries([...all].map(([name, each]) => [name, each.Properties.Timeout]))).toEqual({
      Authorization: 120,
      Connections: 120,
      Documents: 900,
      Proxy: 900,
      RefreshSweep: 60,
      RefreshWorker: 300,
    });
  });

  it("reserve no concurrency by default, because a new account has ten executions in all", () => {
    for (const { Properties } of all.values())
      expect(Properties.ReservedConcurrentExecutions).toBeUndefined();
    const { api, refresh } = synthesize({ reservedConcurrency: { Proxy: 40, RefreshWorker: 10 } });
    expect(find(api, "AWS::Lambda::Function", "Proxy").Properties.ReservedConcurrentExecutions).toBe(40);
    expect(
      find(refresh, "AWS::Lambda::Function", "RefreshWorker").Properties.ReservedConcurrentExecutions,
    ).toBe(10);
  });

  it("trace only when the setting says so", () => {
    for (const { Properties } of all.values()) expect(Properties.TracingConfig).toBeUndefined();
    const { api } = synthesize({ tracing: true });
    expect(find(api, "AWS::Lambda::Function", "Proxy").Properties.TracingConfig).toEqual({ Mode: "Active" });
  });

  it("know only the real vendors: no stack sets LINKSPAN_VENDOR_ENDPOINTS", () => {
    for (const part of parts)
      expect(JSON.stringify(stacks[part])).not.toMatch(/VENDOR_ENDPOINTS|AWS_ENDPOINT/);
  });
});

describe("each function's role", () => {
  it("allows no wildcard action, no resource *, and uses no managed policy", () => {
    for (const name of functionNames) {
      const role = find(templateOf(name), "AWS::IAM::Role", `${name}Role`).Properties;
      expect(role.ManagedPolicyArns).toBeUndefined();
      for (const { actions, resources } of statementsOf(name)) {
        for (const action of actions) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
        for (const resource of resources) {
          expect(resource).not.toBe("*");
          // A star is only at the end, below a resource of ours.
          expect(resource).toMatch(/^[^*]*$|^\{Rescue\w+\.Arn\}\/rescue\/\*$|:log-group:\{\w+\}:\*$/);
        }
      }
    }
  });

  it("allows writing to the function's own log group only", () => {
    for (const name of functionNames) {
      const logs = statementsOf(name).filter((each) =>
        each.actions.some((action) => action.startsWith("logs:")),
      );
      expect(logs.flatMap((each) => each.actions).sort()).toEqual([
        "logs:CreateLogStream",
        "logs:PutLogEvents",
      ]);
      for (const resource of logs.flatMap((each) => each.resources))
        expect(resource).toContain(`:log-group:{${name}Logs`);
    }
  });

  it("allows only the tables, the queue, the bucket, the key and the bus that the function's environment names", () => {
    const variables: Record<string, string> = {
      INSTANCES_TABLE: "Instances",
      TENANTS_TABLE: "Tenants",
      TRANSIENTS_TABLE: "Transients",
      VAULT_KEY_ARN: "VaultKey",
      RESCUE_BUCKET: "Rescue",
      REFRESH_QUEUE_URL: "RefreshQueue",
      EVENT_BUS_NAME: "Events",
      AUDIT_QUEUE_URL: "AuditQueue",
    };
    for (const name of functionNames) {
      const told = Object.keys(all.get(name)?.Properties.Environment.Variables)
        .flatMap((variable) => variables[variable] ?? [])
        .sort();
      const reached = new Set(
        statementsOf(name)
          .flatMap((each) => each.resources)
          .flatMap((resource) => /^\{([A-Za-z]+?)[0-9A-F]{8}\.Arn\}/.exec(resource)?.[1] ?? []),
      );
      expect([...reached].sort(), name).toEqual(told);
    }
  });

  it("allows events on the bus only in the worker, and on no other bus; other functions send events to the queue", () => {
    for (const name of functionNames)
      expect(allowed(name, "Events"), name).toEqual(name === "RefreshWorker" ? ["events:PutEvents"] : []);
    const putting = statementsOf("RefreshWorker").filter(({ actions }) =>
      actions.includes("events:PutEvents"),
    );
    expect(putting.flatMap(({ resources }) => resources)).toEqual([
      expect.stringMatching(/^\{Events\w+\.Arn\}$/),
    ]);
    for (const name of ["Connections", "Documents", "Proxy", "RefreshWorker"])
      expect(allowed(name, "RefreshQueue"), name).toContain("sqs:SendMessage");
  });

  it("allows creating instances only where new grants come, and deleting them only in the worker", () => {
    const withAction = (action: string) =>
      functionNames.filter((name) => allowed(name, "Instances").includes(action));
    expect(withAction("dynamodb:PutItem")).toEqual(["Connections", "RefreshWorker"]);
    expect(withAction("dynamodb:DeleteItem")).toEqual(["RefreshWorker"]);
    expect(allowed("Authorization", "Instances")).toEqual([]);
    expect(allowed("RefreshSweep", "Instances")).toEqual(["dynamodb:Query", "dynamodb:UpdateItem"]);
  });

  it("allows looking for an instance's siblings only in the worker, and only in their index", () => {
    const queried = (name: string) =>
      statementsOf(name)
        .filter(({ actions }) => actions.includes("dynamodb:Query"))
        .flatMap(({ resources }) => resources)
        .map((resource) => resource.replace(/^.*\/index\//, ""));
    expect(functionNames.filter((name) => queried(name).includes("consent"))).toEqual(["RefreshWorker"]);
    // The table itself is queried for the pending sign-ins of an instance, `owner` for the instances of a suspended user.
    expect(queried("RefreshWorker")).toEqual([
      expect.stringMatching(/^\{Instances\w+\.Arn\}$/),
      "consent",
      "owner",
    ]);
    expect(allowed("RefreshWorker", "Instances")).not.toContain("dynamodb:BatchGetItem");
  });

  it("never allows changing tenants, which only the operator does; OAuth proxies have a partition of their own", () => {
    const writing = functionNames.flatMap((name) =>
      statementsOf(name)
        .filter(({ resources }) => resources.some((resource) => resource.includes("Tenants")))
        .filter(({ actions }) => actions.some((action) => !/^dynamodb:(GetItem|Query)$/.test(action)))
        .map((statement) => ({ name, ...statement })),
    );
    expect(writing).toEqual([
      expect.objectContaining({
        name: "Connections",
        actions: ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"],
        condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["oauth-proxies#*"] } },
      }),
    ]);
  });

  it("allows unwrapping only keys of a named organization, no wrapping, and neither in the sweep", () => {
    for (const name of functionNames) {
      const kms = statementsOf(name).filter((each) =>
        each.actions.some((action) => action.startsWith("kms:")),
      );
      if (name === "RefreshSweep") expect(kms).toEqual([]);
      else
        expect(kms).toEqual([
          {
            actions: ["kms:Decrypt"],
            resources: [expect.stringMatching(/^\{VaultKey\w+\.Arn\}$/)],
            condition: {
              StringLike: { "kms:EncryptionContext:organization": "?*" },
              "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["organization"] },
            },
          },
        ]);
    }
  });

  it("allows deleting rescue records only in the worker, and listing only their prefix", () => {
    for (const name of functionNames) {
      expect(allowed(name, "Rescue").includes("s3:DeleteObject"), name).toBe(name === "RefreshWorker");
      for (const { actions, condition } of statementsOf(name))
        if (actions.includes("s3:ListBucket"))
          expect(condition).toEqual({ StringLike: { "s3:prefix": ["rescue/*"] } });
    }
  });
});
