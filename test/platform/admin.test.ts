import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instanceTable } from "../../functions/aws/instances/table.ts";
import { dynamoClient } from "../../functions/aws/store-time.ts";
import { brandingReader } from "../../functions/aws/tenants/branding.ts";
import { registeredApps, tenantTable } from "../../functions/aws/tenants/table.ts";
import { refreshGroup } from "../../functions/core/grant/store/refresh-group.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { newInstanceId } from "../../functions/core/instances/instance-token.ts";
import { readMessage } from "../../functions/core/work-queue/message.ts";
import { type FrontDoor, localRegion, startFrontDoor } from "../../local/aws/front-door.ts";
import type { AwsTable } from "../../local/aws/types.ts";
import { systemClock } from "../../local/clock.ts";
import { type AdminExit, type AdminOptions, adminHere, admin as runningAdmin } from "./run-admin.ts";

/**
 * The command line as an operator runs it, against the local platform's AWS. Commands that read input or the environment, and
 * exit codes, are tested in processes of their own.
 */
const operator = { accessKeyId: "AKIAOPERATOR", secretAccessKey: "operator-secret" };
const key = {
  id: "00000000-0000-0000-0000-000000000001",
  arn: "arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-0000-0000-000000000001",
};
const string = (name: string) => ({ AttributeName: name, AttributeType: "S" as const });
const number = (name: string) => ({ AttributeName: name, AttributeType: "N" as const });
const index = (IndexName: string, partition: string, sort: string, NonKeyAttributes: string[]) => ({
  IndexName,
  KeySchema: [
    { AttributeName: partition, KeyType: "HASH" as const },
    { AttributeName: sort, KeyType: "RANGE" as const },
  ],
  Projection: { ProjectionType: "INCLUDE" as const, NonKeyAttributes },
});
const listed = ["connector", "name", "tags", "createdAt", "userId"];

let folder: string;
let frontDoor: FrontDoor;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "linkspan-admin-"));
  frontDoor = await startFrontDoor({
    clock: systemClock(),
    dataFolder: folder,
    resources: (url) => ({
      tables: [
        ...["instances", "instances-restored"].map(
          (name): AwsTable => ({
            name,
            keySchema: [
              { AttributeName: "instanceId", KeyType: "HASH" },
              { AttributeName: "item", KeyType: "RANGE" },
            ],
            attributeDefinitions: [
              number("instanceId"),
              string("item"),
              number("refreshShard"),
              number("dueAt"),
              string("ownerKey"),
              string("ownerSort"),
              string("organizationId"),
            ],
            globalSecondaryIndexes: [
              index("due", "refreshShard", "dueAt", ["refreshGroup", "dueSince"]),
              index("owner", "ownerKey", "ownerSort", listed),
              index("organization", "organizationId", "ownerSort", listed),
            ],
          }),
        ),
        {
          name: "tenants",
          keySchema: [
            { AttributeName: "id", KeyType: "HASH" },
            { AttributeName: "item", KeyType: "RANGE" },
          ],
          attributeDefinitions: [string("id"), string("item")],
        },
      ],
      queues: [
        { name: "refresh", redrive: { deadLetterQueue: "dead", maxReceiveCount: 1 } },
        { name: "dead", visibilityTimeout: 30 },
        { name: "audit" },
      ],
      buckets: [{ name: "rescue" }],
      eventBuses: [],
      keys: [key],
      stacks: [
        {
          name: "linkspan-dev-data",
          outputs: {
            InstancesTable: "instances",
            TenantsTable: "tenants",
            VaultKeyArn: key.arn,
            RescueBucket: "rescue",
            RefreshQueueUrl: `${url}/000000000000/refresh`,
            RefreshDeadLettersUrl: `${url}/000000000000/dead`,
            AuditQueueUrl: `${url}/000000000000/audit`,
          },
        },
        { name: "some-other-stack", outputs: {} },
      ],
    }),
    principals: [
      {
        name: "operator",
        ...operator,
        statements: [
          {
            Effect: "Allow",
            Action: ["dynamodb:*", "kms:*", "sqs:*", "s3:*", "cloudformation:*"],
            Resource: "*",
          },
        ],
      },
    ],
  });
  await writeFile(
    path.join(folder, "platform.json"),
    JSON.stringify({ endpointUrl: frontDoor.url, region: localRegion, credentials: operator }),
  );
}, 30_000);

afterAll(async () => {
  await frontDoor.close();
  await rm(folder, { recursive: true, force: true });
});

const OWN_PROCESS: AdminOptions = {};
const admin = (args: readonly string[], options?: AdminOptions) =>
  options === undefined ? adminHere(folder, args) : runningAdmin(folder, args, options);

async function asJson<T>(args: readonly string[], options?: AdminOptions): Promise<T> {
  const { code, out, err } = await admin([...args, "--json"], options);
  if (code !== 0) throw new Error(`admin ${args.join(" ")} ended with ${code}: ${err}`);
  return JSON.parse(out) as T;
}

const store = () => {
  const { documents } = dynamoClient({ endpoint: frontDoor.url, region: localRegion, credentials: operator });
  return {
    tenants: {
      ...tenantTable({ client: documents, tableName: "tenants" }),
      ...registeredApps({ client: documents, tableName: "tenants" }),
    },
    branding: brandingReader({ client: documents, tableName: "tenants" }),
    instances: instanceTable({ client: documents, tableName: "instances", shards: 1 }),
    restored: instanceTable({ client: documents, tableName: "instances-restored", shards: 1 }),
  };
};

async function aTenant(): Promise<{
  organization: string;
  organizationSecret: string;
  user: string;
  userSecret: string;
}> {
  const { id: organization, organizationSecret } = await asJson<{ id: string; organizationSecret: string }>([
    "organization",
    "create",
    "Acme",
  ]);
  const { id: user, userSecret } = await asJson<{ id: string; userSecret: string }>([
    "user",
    "create",
    "--organization",
    organization,
    "--email",
    "ada@acme.example",
    "--first-name",
    "Ada",
  ]);
  return { organization, organizationSecret, user, userSecret };
}

async function anInstance(
  organization: string,
  userId: string,
  connector: string,
  clientId: string,
  where: "instances" | "restored" = "instances",
): Promise<number> {
  const id = newInstanceId();
  const instance: Instance = {
    id,
    organizationId: organization,
    userId,
    connector,
    name: `Ada's ${connector}`,
    tags: [],
    createdAt: Date.now(),
    updatedAt: Date.now(),
    configuration: {},
    secretConfigurationKeys: [],
    tokenHashes: [],
    fence: 1,
    version: 1,
    epoch: "1",
    grant: randomBytes(8),
    enabled: true,
    refreshGroup: refreshGroup(connector, clientId),
  };
  if (!(await store()[where].create(instance))) throw new Error("the id is taken");
  return id;
}

describe("npm run admin", { timeout: 60_000 }, () => {
  it("creates organizations and users whose secrets work, shows each secret once and stores only hashes", async () => {
    const { organization, organizationSecret, user, userSecret } = await aTenant();
    expect(organizationSecret).toMatch(/^lso_[A-Za-z0-9_-]{43}$/);
    expect(userSecret).toMatch(/^lsu_[A-Za-z0-9_-]{43}$/);
    const { tenants } = store();
    expect(await tenants.bySecret(userSecret)).toEqual({ organizationId: organization, userId: user });
    expect(await tenants.bySecret(organizationSecret)).toEqual({ organizationId: organization });

    const lists = [
      await admin(["organization", "list", "--json"]),
      await admin(["user", "list", "--organization", organization]),
    ];
    expect(lists.map(({ out }) => out).join()).toContain(organization);
    expect(lists.map(({ out }) => out).join()).toContain("ada@acme.example");
    expect(lists.map(({ out }) => out).join()).not.toMatch(/ls[ou]_/);
  });

  it("rotates a secret; the old one stays valid for an overlap", async () => {
    const { organization, user, userSecret } = await aTenant();
    const added = await asJson<{ userSecret: string }>([
      "user",
      "add-secret",
      user,
      "--organization",
      organization,
    ]);
    const owner = { organizationId: organization, userId: user };
    expect(await store().tenants.bySecret(userSecret)).toEqual(owner);
    expect(await store().tenants.bySecret(added.userSecret)).toEqual(owner);
    await asJson(["organization", "remove-secret"], { input: `${userSecret}\n` });
    expect(await store().tenants.bySecret(userSecret)).toBeUndefined();
    expect(await store().tenants.bySecret(added.userSecret)).toEqual(owner);
    const again = await admin(["organization", "remove-secret"], { input: userSecret });
    expect([again.code, again.err]).toEqual([1, "error: nobody has this secret\n"]);
  });

  it("suspends and resumes, and keeps the allow-lists", async () => {
    const { organization } = await aTenant();
    await asJson(["organization", "suspend", organization]);
    expect((await store().tenants.organization(organization))?.status).toBe("suspended");
    await asJson(["organization", "resume", organization]);
    await asJson([
      "organization",
      "allow-return-url",
      organization,
      "https://app.example/done",
      "https://app.example/r/*",
    ]);
    await asJson(["organization", "allow-origin", organization, "https://app.example"]);
    await asJson(["organization", "allow-vendor-host", organization, "Cloud.Acme.example", "*.acme.example"]);
    await asJson(["organization", "disallow-vendor-host", organization, "*.acme.example"]);
    await asJson(["organization", "disallow-return-url", organization, "https://app.example/done"]);
    expect(await store().tenants.organization(organization)).toMatchObject({
      status: "active",
      returnUrls: ["https://app.example/r/*"],
      origins: ["https://app.example"],
      vendorHosts: ["cloud.acme.example"],
    });
    for (const wrong of [
      "localhost",
      "https://cloud.acme.example",
      "127.0.0.1",
      "*.example",
      "a b.example",
    ]) {
      const { code, err } = await admin(["organization", "allow-vendor-host", organization, wrong]);
      expect([code, err]).toEqual([1, expect.stringContaining(wrong)]);
    }
    for (const wrong of ["https://app.example*", "http://app.example/", "javascript:alert(1)"]) {
      const { code, err } = await admin(["organization", "allow-return-url", organization, wrong]);
      expect([code, err]).toEqual([1, expect.stringContaining(wrong)]);
    }
  });

  it("sets and removes the look of an organization's connect page", async () => {
    const { organization } = await aTenant();
    const logo = path.join(folder, "logo.svg");
    await writeFile(logo, '<svg xmlns="http://www.w3.org/2000/svg"/>');
    const set = ["organization", "brand", organization, "--color", "#FFDD00", "--logo", logo];
    expect(await asJson(set)).toEqual({
      id: organization,
      color: "#ffdd00",
      buttonText: "#000000",
      contrast: expect.stringMatching(/^1\d\.\d$/),
      logo: "image/svg+xml, 41 bytes",
    });
    expect(await asJson(["organization", "brand", organization, "--no-logo"])).toMatchObject({
      color: "#ffdd00",
      logo: "none",
    });
    expect(await store().branding(organization)).toEqual({ color: "#ffdd00" });
    for (const [option, value, words] of [
      ["--color", "yellow", "#0b5cad"],
      ["--logo", path.join(folder, "none.png"), "cannot be read"],
      ["--logo", import.meta.filename, "SVG picture"],
    ] as const) {
      const { code, err } = await admin(["organization", "brand", organization, option, value]);
      expect([code, err]).toEqual([1, expect.stringContaining(words)]);
    }
    expect((await admin(["organization", "brand", organization])).err).toContain("say what to change");
    expect((await admin(["organization", "brand", "unknown", "--no-logo"])).code).toBe(1);
  });

  it.each([
    ["user", "list", "--organization", "unknown"],
    ["app", "list", "--organization", "unknown"],
    ["instance", "list", "--organization", "unknown"],
    ["revoke-all", "--organization", "unknown"],
    ["revive-all", "--connector", "dropbox", "--since", "2026-01-01", "--organization", "unknown"],
    ["instance", "mark-restored", "--table", "instances-restored", "--organization", "unknown"],
    ["organization", "suspend", "unknown"],
    ["organization", "allow-origin", "unknown", "https://a.example"],
    ["organization", "rotate-key", "unknown"],
    ["organization", "reseal", "unknown"],
    ["organization", "add-secret", "unknown"],
  ])("%s %s says that there is no such organization, instead of finding nothing", async (...args) => {
    const { code, out, err } = await admin(args);
    expect([code, out, err]).toEqual([
      1,
      "",
      expect.stringMatching(/no organization unknown|organization unknown/),
    ]);
  });

  it("lists the instances of a user who exists, and of no other", async () => {
    const { organization } = await aTenant();
    const list = ["instance", "list", "--organization", organization, "--user", "unknown"];
    expect(await admin(list)).toMatchObject({ code: 1, err: expect.stringContaining("no user unknown") });
  });

  it("registers an app with a secret from standard input or the environment, sealed and never shown", async () => {
    const { organization } = await aTenant();
    const register = [
      "app",
      "register",
      "--organization",
      organization,
      "--connector",
      "dropbox",
      "--client-id",
      "client-1",
      "--callback-url",
      "https://a.example/cb",
    ];
    const made = await asJson<{ id: string }>(register, { input: "topsecret-1\n" });
    const app = await store().tenants.registeredApp(organization, "dropbox");
    expect(app).toMatchObject({ id: made.id, clientId: "client-1", callbackUrls: ["https://a.example/cb"] });
    expect(Buffer.from(app?.clientSecret ?? []).toString("latin1")).not.toContain("topsecret");

    const before = digest(app?.clientSecret);
    await asJson(
      ["app", "replace-secret", made.id, "--organization", organization, "--connector", "dropbox"],
      {
        env: { LINKSPAN_CLIENT_SECRET: "topsecret-2" },
      },
    );
    expect(digest((await store().tenants.registeredApp(organization, "dropbox"))?.clientSecret)).not.toBe(
      before,
    );

    const list = await admin(["app", "list", "--organization", organization]);
    expect(list.out).toContain("client-1");
    expect(list.out + list.err).not.toContain("topsecret");
    await asJson(["app", "remove", made.id, "--organization", organization, "--connector", "dropbox"]);
    expect(await store().tenants.registeredApp(organization, "dropbox")).toBeUndefined();
  });

  it("refuses an app without a secret, for an unknown connector, or with an invalid callback URL", async () => {
    const { organization } = await aTenant();
    const register = (connector: string, callback: string): Promise<AdminExit> =>
      admin(
        [
          "app",
          "register",
          "--organization",
          organization,
          "--connector",
          connector,
          "--client-id",
          "c",
          "--callback-url",
          callback,
        ],
        OWN_PROCESS,
      );
    expect((await register("dropbox", "https://a.example/cb")).err).toContain("LINKSPAN_CLIENT_SECRET");
    expect((await register("nosuch", "https://a.example/cb")).err).toMatch(/dropbox, .*googledrive/);
    expect((await register("dropbox", "a.example/cb")).err).toContain("not a callback URL");
  });

  it("lists instances and revokes one: its token is invalid and a worker gets a message", async () => {
    const { organization, user } = await aTenant();
    const id = await anInstance(organization, user, "dropbox", "client-1");
    const other = await anInstance(organization, user, "googledrive", "client-2");
    const rows = await asJson<{ id: number; status: string }[]>([
      "instance",
      "list",
      "--organization",
      organization,
    ]);
    expect(new Set(rows.map((row) => row.id))).toEqual(new Set([id, other]));
    const filtered = await asJson<{ id: number }[]>([
      "instance",
      "list",
      "--organization",
      organization,
      "--connector",
      "dropbox",
    ]);
    expect(filtered.map((row) => row.id)).toEqual([id]);

    expect(await asJson(["instance", "revoke", String(id)])).toEqual({ revoked: 1 });
    expect((await store().instances.get(id)).value).toMatchObject({ deleting: true });
    expect((await store().instances.get(other)).value?.deleting).toBeUndefined();
    expect(await queued()).toContain(id);
    const unknown = await admin(["instance", "revoke", "123456789"]);
    expect([unknown.code, unknown.err]).toEqual([1, "error: there is no instance 123456789\n"]);
    expect((await admin(["instance", "revoke", "1 OR 1=1"])).code).toBe(1);
  });

  it("revokes all instances of a client or an organization, only with --yes", async () => {
    const [one, two] = [await aTenant(), await aTenant()];
    const client = randomBytes(6).toString("hex");
    const ids = await Promise.all([
      anInstance(one.organization, one.user, "dropbox", client),
      anInstance(two.organization, two.user, "googledrive", client),
      anInstance(two.organization, two.user, "dropbox", "another"),
    ]);
    const alive = async (): Promise<boolean[]> =>
      Promise.all(ids.map(async (id) => (await store().instances.get(id)).value?.deleting !== true));

    expect(await asJson(["revoke-all", "--client", client])).toEqual({
      found: 2,
      pendingSignIns: 0,
      revoked: 0,
    });
    expect(await alive()).toEqual([true, true, true]);
    expect(await asJson(["revoke-all", "--client", client, "--connector", "googledrive", "--yes"])).toEqual({
      found: 1,
      pendingSignIns: 0,
      revoked: 1,
    });
    expect(await alive()).toEqual([true, false, true]);
    expect(await asJson(["revoke-all", "--client", client, "--yes"])).toEqual({
      found: 1,
      pendingSignIns: 0,
      revoked: 1,
    });
    expect(await asJson(["revoke-all", "--organization", two.organization, "--yes"])).toEqual({
      found: 1,
      pendingSignIns: 0,
      revoked: 1,
    });
    expect(await alive()).toEqual([false, false, false]);
    expect((await admin(["revoke-all", "--yes"])).err).toContain("say which instances");
    expect((await admin(["revoke-all", "--organization", "nosuch", "--yes"])).err).toContain(
      "no organization nosuch",
    );
  });

  it("marks restored instances that must not be refreshed, only in the restored table, and leaves the others", async () => {
    const { organization, user } = await aTenant();
    const other = await aTenant();
    const restored = (connector: string, owner = organization): Promise<number> =>
      anInstance(owner, user, connector, "client", "restored");
    // The third instance's vendor is unknown to this version, so the worst is assumed.
    const [safe, unsafe, elsewhere] = [
      await restored("dropbox"),
      await restored("rotatingvendor"),
      await restored("rotatingvendor", other.organization),
    ];
    const live = await anInstance(organization, user, "rotatingvendor", "client");
    const mark = [
      "instance",
      "mark-restored",
      "--table",
      "instances-restored",
      "--organization",
      organization,
    ];
    const lastErrors = async () =>
      Promise.all(
        [safe, unsafe, elsewhere].map(async (id) => (await store().restored.get(id)).value?.lastError),
      );

    expect(await asJson(mark)).toEqual({ found: 2, unsafe: 1, marked: 0 });
    expect(await lastErrors()).toEqual([undefined, undefined, undefined]);
    expect(await asJson([...mark, "--connector", "dropbox", "--yes"])).toEqual({
      found: 1,
      unsafe: 0,
      marked: 0,
    });
    expect(await asJson([...mark, "--yes"])).toEqual({ found: 2, unsafe: 1, marked: 1 });
    expect(await lastErrors()).toEqual([undefined, "restored", undefined]);
    expect((await store().restored.get(unsafe)).value).toMatchObject({
      deadVersion: 1,
      version: 1,
      fence: 1,
    });
    expect((await store().instances.get(live)).value).not.toHaveProperty("deadVersion");
    expect(await asJson([...mark, "--yes"])).toEqual({ found: 2, unsafe: 0, marked: 0 });

    expect(
      await asJson(["instance", "mark-restored", "--table", "instances-restored", "--yes"]),
    ).toMatchObject({ unsafe: 1, marked: 1 });
    expect((await admin(["instance", "mark-restored", "--yes"])).code).toBe(2);
    const missing = await admin(["instance", "mark-restored", "--table", "none", "--yes"]);
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining("there is no table none")]);
  });

  it("lists dead letters without deleting them, and shows nothing of a body that is not ours", async () => {
    const bodies = [
      JSON.stringify({ kind: "refresh", instanceId: 42, cause: "schedule" }),
      JSON.stringify({ kind: "rescue", key: "rescue/42/7" }),
      "a secret that strayed here",
    ];
    for (const body of bodies) await sendTo("dead", body);
    type Row = { id: string; kind: string; about: string; cause: string; received: number; age: string };
    const list = () => asJson<Row[]>(["dead-letters", "list"]);
    const rows = await list();
    expect(rows.map(({ kind, about, cause, age }) => [kind, about, cause, age])).toEqual([
      ["refresh", "42", "schedule", "0 min"],
      ["rescue", "rescue/42/7", "rescue", "0 min"],
      ["unreadable", "", "", "0 min"],
    ]);
    expect((await list()).map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    const one = await admin(["dead-letters", "list", "--limit", "1"]);
    expect(one.out.trim().split("\n")).toHaveLength(2);
    expect([one.code, one.err]).toEqual([0, expect.stringContaining("about 3")]);
    expect((await admin(["dead-letters", "list", "--limit", "many"])).code).toBe(2);
    expect(one.out + JSON.stringify(rows)).not.toContain("strayed");

    const unreadable = rows.at(-1)?.id ?? "";
    expect(await asJson(["dead-letters", "purge", unreadable])).toEqual({ purged: 1 });
    const again = await admin(["dead-letters", "purge", unreadable]);
    expect([again.code, again.err]).toEqual([1, `error: there is no message ${unreadable}\n`]);
    expect((await frontDoor.queueDepth("dead")).visible).toBe(2);
  });

  it("moves dead letters back only with --yes, and says what SQS did not move", async () => {
    // The dead letters of the test before never failed in a queue, so SQS cannot tell where they belong.
    expect(await asJson(["dead-letters", "redrive"])).toEqual({ found: 2, moved: 0 });
    const stray = await admin(["dead-letters", "redrive", "--yes"]);
    expect([stray.code, stray.err]).toEqual([
      1,
      expect.stringContaining("dead-letters list shows what is left"),
    ]);
    const rows = await asJson<{ id: string }[]>(["dead-letters", "list"]);
    await asJson(["dead-letters", "purge", ...rows.map(({ id }) => id)]);
    expect(await asJson(["dead-letters", "redrive", "--yes"])).toEqual({ found: 0, moved: 0 });
    expect((await admin(["dead-letters", "list"])).out).toBe("none\n");
  });

  it("gives a clear error about the call, the platform or the stack", async () => {
    const empty = await mkdtemp(path.join(tmpdir(), "linkspan-empty-"));
    const none = await admin(["organization", "list", "--data", empty], OWN_PROCESS);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("npm start")]);

    await writeFile(
      path.join(empty, "platform.json"),
      JSON.stringify({ endpointUrl: "http://127.0.0.1:1", region: localRegion, credentials: operator }),
    );
    const stopped = await admin(["organization", "list", "--data", empty]);
    expect([stopped.code, stopped.err]).toEqual([
      1,
      expect.stringContaining("is the local platform running"),
    ]);

    await writeFile(path.join(empty, "platform.json"), "{");
    expect((await admin(["organization", "list", "--data", empty])).err).toContain("start it again");
    await rm(empty, { recursive: true });

    const usage = await admin(["user", "create", "--email", "a@b.example"], OWN_PROCESS);
    expect([usage.code, usage.err]).toEqual([2, expect.stringContaining("--organization")]);
    expect((await admin(["nonsense"])).code).toBe(2);
    expect((await admin(["--help"], OWN_PROCESS)).code).toBe(0);
  });

  it("finds a deployment on AWS by profile, region and stack name, with the same calls", async () => {
    const config = path.join(folder, "aws-config");
    await writeFile(
      config,
      `[profile ops]\nregion = ${localRegion}\naws_access_key_id = ${operator.accessKeyId}\naws_secret_access_key = ${operator.secretAccessKey}\n`,
    );
    const env = {
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: path.join(folder, "none"),
      // This URL stands for AWS; the command gets nothing else of the local platform.
      AWS_ENDPOINT_URL: frontDoor.url,
      LINKSPAN_DATA: path.join(folder, "none"),
    };
    const at = (stack: string): Promise<AdminExit> =>
      admin(["organization", "list", "--profile", "ops", "--stack", stack, "--json"], { env });
    const found = await at("linkspan-dev-data");
    expect([found.code, found.err]).toEqual([0, ""]);
    expect((await at("some-other-stack")).err).toContain("has no output");
    const absent = await at("linkspan-prod-data");
    expect([absent.code, absent.err]).toEqual([1, expect.stringMatching(/linkspan-prod-data.*cdk deploy/s)]);
    const unknown = await admin(["organization", "list", "--profile", "nosuch"], { env });
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("check --profile")]);
  });
});

const sqs = (): SQSClient =>
  new SQSClient({ endpoint: frontDoor.url, region: localRegion, credentials: operator });

async function sendTo(queue: string, MessageBody: string): Promise<void> {
  await sqs().send(new SendMessageCommand({ QueueUrl: frontDoor.queueUrl(queue), MessageBody }));
}

async function queued(): Promise<number[]> {
  const client = sqs();
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl: frontDoor.queueUrl("refresh"), MaxNumberOfMessages: 10 }),
  );
  return Messages.map(({ Body }) => readMessage(Body ?? "")).flatMap((work) =>
    "instanceId" in work ? [work.instanceId] : [],
  );
}

const digest = (bytes: Uint8Array | undefined): string =>
  createHash("sha256")
    .update(bytes ?? new Uint8Array())
    .digest("hex");
