import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAssembly, readTemplate, type Template } from "../../local/template.ts";
import { smallStack, type TestResource, type TestStack, writeAssembly } from "./assembly.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "linkspan-assembly-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const queueUrl = (name: string) => `http://127.0.0.1:1/000000000000/${name}`;

async function read(stacks: Readonly<Record<string, TestStack>>): Promise<Template> {
  return readTemplate(await readAssembly(writeAssembly(folder, stacks)), { queueUrl });
}

/** Reads a small stack after `change`, and returns the error. */
async function refusal(change: (resources: Record<string, TestResource>) => void): Promise<string> {
  const stack = smallStack();
  change(stack.Resources);
  return read({ small: stack }).then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );
}

/** A pipe from a queue to a log stream, under a role that may do neither. */
const aPipe = (): Record<string, TestResource> => ({
  Group: { Type: "AWS::Logs::LogGroup" },
  Stream: { Type: "AWS::Logs::LogStream", Properties: { LogGroupName: { Ref: "Group" } } },
  Pipe: {
    Type: "AWS::Pipes::Pipe",
    Properties: {
      RoleArn: { "Fn::GetAtt": ["Role", "Arn"] },
      Source: { "Fn::GetAtt": ["Queue", "Arn"] },
      Target: { "Fn::GetAtt": ["Group", "Arn"] },
      TargetParameters: {
        CloudWatchLogsParameters: { LogStreamName: { Ref: "Stream" } },
        InputTemplate: "<$.body>",
      },
    },
  },
});

const properties = (resource: TestResource | undefined) => resource?.Properties as Record<string, unknown>;

describe("the model of the stacks", () => {
  it("has a function's code, environment and role with all references resolved", async () => {
    const stack = smallStack();
    Object.assign(properties(stack.Resources.Handler), {
      Environment: {
        Variables: {
          TABLE: { Ref: "Table" },
          QUEUE: { Ref: "Queue" },
          JOINED: { "Fn::Join": ["-", ["a", { Ref: "AWS::Region" }, { Ref: "AWS::AccountId" }]] },
          SUBSTITUTED: {
            "Fn::Sub": [
              // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's syntax
              "${Table.Arn}|${own}|${!literal}|${AWS::StackName}",
              { own: { "Fn::Select": [1, { "Fn::Split": [",", "x,y"] }] } },
            ],
          },
          CHOSEN: { "Fn::If": ["IsLarge", "large", { "Fn::FindInMap": ["Sizes", "small", "name"] }] },
          NUMBER: 7,
        },
      },
    });
    stack.Conditions = { IsLarge: { "Fn::Not": [{ "Fn::Equals": [{ Ref: "Size" }, "small"] }] } };
    stack.Parameters = { Size: { Type: "String", Default: "small" } };
    stack.Mappings = { Sizes: { small: { name: "little" } } };
    const { functions } = await read({ small: stack });
    expect(functions).toHaveLength(1);
    expect(functions[0]).toMatchObject({
      name: "Documents",
      functionName: "small-Handler",
      arn: "arn:aws:lambda:eu-west-1:000000000000:function:small-Handler",
      codeFolder: path.join(folder, "asset.code"),
      timeoutSeconds: 60,
      memoryMegabytes: 128,
      environment: {
        TABLE: "small-Table",
        QUEUE: "http://127.0.0.1:1/000000000000/small-Queue",
        JOINED: "a-eu-west-1-000000000000",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's syntax
        SUBSTITUTED: "arn:aws:dynamodb:eu-west-1:000000000000:table/small-Table|y|${literal}|small",
        CHOSEN: "little",
        NUMBER: "7",
      },
      statements: [
        {
          Effect: "Allow",
          Action: "dynamodb:GetItem",
          Resource: "arn:aws:dynamodb:eu-west-1:000000000000:table/small-Table",
        },
      ],
    });
  });

  it("resolves a value that one stack exports and another imports", async () => {
    const small = smallStack();
    properties(small.Resources.Handler).Environment = {
      Variables: { TABLE: { "Fn::ImportValue": "data:Table" } },
    };
    const table = small.Resources.Table as TestResource;
    delete small.Resources.Table;
    properties(small.Resources.RolePolicy).PolicyDocument = { Statement: [] };
    const data = {
      Resources: { Table: table },
      Outputs: { Table: { Value: { Ref: "Table" }, Export: { Name: "data:Table" } } },
    };
    const model = await read({ small, data });
    expect(model.functions[0]?.environment.TABLE).toBe("data-Table");
    expect(model.stacks.find(({ name }) => name === "data")?.outputs).toEqual({ Table: "data-Table" });
  });

  it("has the same names at each reading, so that data is kept over a restart", async () => {
    const names = async () => (await read({ small: smallStack() })).tables.map(({ name }) => name);
    expect(await names()).toEqual(await names());
  });

  it("leaves out a resource whose condition does not hold", async () => {
    const stack = smallStack();
    stack.Conditions = { Never: { "Fn::Equals": ["a", "b"] } };
    stack.Resources.Other = { ...(stack.Resources.Table as TestResource), Condition: "Never" };
    expect((await read({ small: stack })).tables.map(({ name }) => name)).toEqual(["small-Table"]);
  });

  it("reads the API's tree with mode, timeout and function of each method", async () => {
    const { api } = await read({ small: smallStack() });
    expect(api.stage).toBe("elements");
    expect(api.root.variable).toMatchObject({ name: "proxy", greedy: true });
    expect(api.root.variable?.resource.methods.get("ANY")).toEqual({
      functionName: "Documents",
      mode: "STREAM",
      timeoutMs: 29_000,
    });
  });
});

describe("an assembly", () => {
  it("that does not exist gives an error that names the folder and the command that synthesizes", async () => {
    await expect(readAssembly(path.join(folder, "none"))).rejects.toThrow(/no cloud assembly.*npm run synth/);
  });

  it.each<[string, (resources: Record<string, TestResource>) => void, RegExp]>([
    [
      "a resource type that it does not know",
      (all) => {
        all.Cache = { Type: "AWS::ElastiCache::CacheCluster" };
      },
      /small\/Cache \(AWS::ElastiCache::CacheCluster\)/,
    ],
    [
      "a property that it does not know",
      (all) => Object.assign(properties(all.Handler), { VpcConfig: {} }),
      /small\/Handler .*VpcConfig/,
    ],
    [
      "an intrinsic function that it does not know",
      (all) => Object.assign(properties(all.Handler), { Description: { "Fn::Cidr": [] } }),
      /Fn::Cidr/,
    ],
    [
      "a Ref to a missing resource",
      (all) => Object.assign(properties(all.Handler), { Description: { Ref: "Nothing" } }),
      /no resource Nothing/,
    ],
    [
      "a managed policy that it does not know",
      (all) =>
        Object.assign(properties(all.Role), {
          ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"],
        }),
      /AdministratorAccess/,
    ],
    [
      "another runtime",
      (all) => Object.assign(properties(all.Handler), { Runtime: "nodejs20.x" }),
      /nodejs24\.x only/,
    ],
    [
      "an environment variable that Lambda reserves",
      (all) => Object.assign(properties(all.Handler), { Environment: { Variables: { AWS_REGION: "x" } } }),
      /reserves .*AWS_REGION/,
    ],
    [
      "a second variable child of one resource, as only the real service does",
      (all) => {
        const node = all.Node as TestResource;
        all.Second = { ...node, Properties: { ...properties(node), PathPart: "{id}" } };
      },
      /already has a variable path part/,
    ],
    [
      "a greedy variable that is not the end of the path",
      (all) => {
        all.Below = {
          Type: "AWS::ApiGateway::Resource",
          Properties: { ParentId: { Ref: "Node" }, PathPart: "more", RestApiId: { Ref: "Api" } },
        };
      },
      /greedy path variable must be at the end/,
    ],
    [
      "a streaming integration with the URI of a buffered one",
      (all) => {
        const integration = properties(all.Any).Integration as Record<string, unknown>;
        const uri = JSON.stringify(integration.Uri).replace("response-streaming-invocations", "invocations");
        integration.Uri = JSON.parse(uri.replace("2021-11-15", "2015-03-31"));
      },
      /URI of a STREAM integration/,
    ],
    [
      "an integration timeout of more than 15 minutes",
      (all) => Object.assign(properties(all.Any).Integration as object, { TimeoutInMillis: 900_001 }),
      /900001 ms is not allowed/,
    ],
    [
      "a method whose function API Gateway may not invoke",
      (all) => {
        delete all.Permission;
      },
      /no permission to invoke Documents/,
    ],
    [
      "a method that the deployment does not wait for",
      (all) => {
        (all.Deployment as TestResource).DependsOn = [];
      },
      /small\/Any .*no deployment depends on it/,
    ],
    [
      "more than 500 resources in a stack",
      (all) => {
        for (let index = 0; index < 500; index++) all[`Logs${index}`] = { Type: "AWS::Logs::LogGroup" };
      },
      /resources in the stack small are more than AWS's 500: https:\/\/docs/,
    ],
    [
      "more than 20 KB of permissions to invoke a function",
      (all) => {
        for (let index = 0; index < 80; index++) all[`Permission${index}`] = all.Permission as TestResource;
      },
      /bytes of permissions to invoke Documents are more than AWS's 20480/,
    ],
    [
      "more than 10 KB of policies in a role",
      (all) => {
        const Statement = Array.from({ length: 120 }, (_, index) => ({
          Effect: "Allow",
          Action: "s3:GetObject",
          Resource: `arn:aws:s3:::a-bucket/with/a/rather/long/prefix/${index}/*`,
        }));
        properties(all.RolePolicy).PolicyDocument = { Statement };
      },
      /characters of inline policies of the role small-Role are more than AWS's 10240/,
    ],
    [
      "a queue whose visibility timeout is shorter than the function's timeout",
      (all) => {
        properties(all.Queue).VisibilityTimeout = 30;
        all.Mapping = {
          Type: "AWS::Lambda::EventSourceMapping",
          Properties: {
            FunctionName: { Ref: "Handler" },
            EventSourceArn: { "Fn::GetAtt": ["Queue", "Arn"] },
          },
        };
      },
      /visibility timeout is less than the timeout of Documents/,
    ],
    [
      "a pipe whose role may not write to the log stream",
      (all) => Object.assign(all, aPipe()),
      /its role may not write to the log stream/,
    ],
    [
      "a pipe that transforms its messages",
      (all) => {
        Object.assign(all, aPipe());
        const { TargetParameters } = properties(all.Pipe) as { TargetParameters: object };
        Object.assign(TargetParameters, { InputTemplate: '{"body": <$.body>}' });
      },
      /only the template <\$\.body> is known here/,
    ],
    [
      "a pipe to another target than a log group",
      (all) => {
        Object.assign(all, aPipe());
        properties(all.Pipe).Target = { "Fn::GetAtt": ["Handler", "Arn"] };
      },
      /only pipes from a queue into a log group are known here/,
    ],
    [
      "a schedule whose role may not invoke its target",
      (all) => {
        all.Schedule = {
          Type: "AWS::Scheduler::Schedule",
          Properties: {
            FlexibleTimeWindow: { Mode: "OFF" },
            ScheduleExpression: "rate(1 minute)",
            Target: {
              Arn: { "Fn::GetAtt": ["Handler", "Arn"] },
              RoleArn: { "Fn::GetAtt": ["Role", "Arn"] },
            },
          },
        };
      },
      /small\/Schedule .*may not invoke/,
    ],
  ])("is refused with %s", async (_, change, message) => {
    expect(await refusal(change)).toMatch(message);
  });

  it("is refused with an event bus that the platform does not support; a plain bus is known by name and ARN", async () => {
    const bus = (more: object) => ({
      Type: "AWS::Events::EventBus",
      Properties: { Name: "linkspan-dev", ...more },
    });
    expect(
      await refusal((all) => {
        all.Events = bus({ EventSourceName: "aws.partner/example.com" });
      }),
    ).toMatch(/small\/Events .*does not know the property EventSourceName/);
    const stack = smallStack();
    stack.Resources.Events = bus({ Description: "what happens" });
    Object.assign(properties(stack.Resources.Handler), {
      Environment: { Variables: { BUS: { Ref: "Events" }, ARN: { "Fn::GetAtt": ["Events", "Arn"] } } },
    });
    const { eventBuses, functions } = await read({ small: stack });
    expect(eventBuses).toEqual([{ name: "linkspan-dev" }]);
    expect(functions[0]?.environment).toMatchObject({
      BUS: "linkspan-dev",
      ARN: "arn:aws:events:eu-west-1:000000000000:event-bus/linkspan-dev",
    });
  });

  it("is accepted with resources that do nothing on a laptop", async () => {
    expect(
      await refusal((all) => {
        all.Dashboard = {
          Type: "AWS::CloudWatch::Dashboard",
          Properties: { DashboardBody: { "Fn::Odd": 1 } },
        };
        all.Alarm = { Type: "AWS::CloudWatch::Alarm" };
      }),
    ).toBe("nothing was refused");
  });
});

describe("the synthesized stacks", () => {
  it("are read completely: six functions, each with its role, a queue, a schedule, a pipe, the API", async () => {
    const model = readTemplate(await readAssembly("cdk.out"), { queueUrl });
    expect(model.functions.map(({ name }) => name).sort()).toEqual([
      "Authorization",
      "Connections",
      "Documents",
      "Proxy",
      "RefreshSweep",
      "RefreshWorker",
    ]);
    for (const { statements, environment } of model.functions) {
      expect(statements.length).toBeGreaterThan(0);
      expect(environment).not.toHaveProperty("LINKSPAN_VENDOR_ENDPOINTS");
    }
    expect(model.eventSources).toMatchObject([
      { functionName: "RefreshWorker", reportsBatchItemFailures: true },
    ]);
    expect(model.schedules).toMatchObject([{ functionName: "RefreshSweep", everyMinutes: 1, enabled: true }]);
    expect(model.pipes).toMatchObject([{ batchSize: 10, logGroup: expect.stringContaining("AuditLogs") }]);
    expect(model.tables).toHaveLength(3);
    // The organizations' data keys are wrapped by one of the keys; the alarm topic has the other.
    expect(model.keys).toHaveLength(2);
    expect(model.api.stage).toBe("elements");
  });

  it("have a method for every path", async () => {
    const { api } = readTemplate(await readAssembly("cdk.out"), { queueUrl });
    const gaps: string[] = [];
    const walk = (resource: typeof api.root) => {
      if (!resource.methods.has("ANY")) gaps.push(`${resource.path} has no ANY`);
      // API Gateway does not backtrack: a path below a literal is matched there or not at all.
      if (!resource.path.endsWith("+}") && resource.variable === undefined)
        gaps.push(`${resource.path} has no catch-all below it`);
      for (const child of resource.literals.values()) walk(child);
      if (resource.variable !== undefined) walk(resource.variable.resource);
    };
    walk(api.root);
    expect(gaps).toEqual([]);
  });
});
