import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dynamoClient } from "../../../functions/aws/store-time.ts";
import { budgets, ITEM_BYTES, itemBytes, jsonBytes } from "../../../functions/core/instances/budgets.ts";
import { isCodeExchange, isRefresh } from "../../vendor-kinds/gate.ts";
import type { Answer, CreatedInstance } from "../app.ts";
import { scanTable, storedInstance } from "../tenants.ts";
import { GrantLab, HOUR, LEASE_MS, MINUTE } from "./lab.ts";

type Told = Answer<CreatedInstance & { code?: string; detail?: { field?: string } }>;

let lab: GrantLab;
let s3: S3Client;
beforeAll(async () => {
  lab = await GrantLab.start();
  const { endpoint, region, credentials } = lab.platform.operator;
  s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
});
afterAll(async () => {
  s3.destroy();
  await lab.close();
});
beforeEach(() => lab.clear());

const { strict, steady } = { strict: () => lab.vendors.strict, steady: () => lab.vendors.steady };
const call = (method: string, path: string, body: unknown): Promise<Told> =>
  lab.app.platform(method, path, body);
const refused = (answer: Told) => [answer.status, answer.body.code, answer.body.detail?.field];

/** `count` values, each as long as a value may be. */
const values = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`value${n}`, "x".repeat(8_000)]));

function outputOf(name: string): string {
  const found = lab.platform.template.stacks.flatMap(({ outputs }) => outputs[name] ?? []);
  return found[0] ?? "";
}

/** What an app has after its user comes back from the vendor. */
async function signedIn(): Promise<Record<string, unknown>> {
  const { oauthUrl } = await lab.app.authorizationUrl("strict");
  const { searchParams } = await lab.app.consent("strict", oauthUrl);
  return { code: searchParams.get("code"), state: searchParams.get("state") };
}

/** A token answer with more members than an item can hold. */
const crowded =
  (length: number) => (answer: { status: number; headers: Record<string, string>; body: string }) => ({
    ...answer,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      ...(JSON.parse(answer.body) as object),
      ...Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`member${n}`, "m".repeat(length)])),
    }),
  });

describe("input too large for the store", () => {
  it("is refused before the code is sent, so the same code works afterwards", async () => {
    const providerData = await signedIn();
    strict().gate.clear();
    const create = (configuration: Record<string, string>, more = {}) =>
      call("POST", "/instances", { element: { key: "strict" }, providerData, configuration, ...more });
    expect(refused(await create(values(60)))).toEqual([413, "body_too_large", "body"]);
    expect(refused(await create(values(20)))).toEqual([400, "too_large", "configuration"]);
    const secrets = Object.fromEntries(
      Object.entries(values(3)).map(([key, value]) => [`password.${key}`, value]),
    );
    expect(refused(await create(secrets))).toEqual([400, "too_large", "configuration"]);
    const tags = Array.from({ length: 50 }, () => "€".repeat(100));
    expect(refused(await create({}, { tags }))).toEqual([400, "invalid_request", "tags"]);
    expect(strict().gate.requests.filter(isCodeExchange)).toEqual([]);
    expect((await create({ value: "x" })).status).toBe(200);
  });

  it("is refused in an import, without a request to the vendor", async () => {
    strict().gate.clear();
    const instances = async () =>
      (await scanTable(lab.platform, "InstancesTable")).match(/"instanceId":\d+/g)?.length;
    const before = await instances();
    const create = (body: Record<string, unknown>) =>
      call("POST", "/instances", { element: { key: "strict" }, ...body });
    const token = { "oauth.user.token": "a", "oauth.user.refresh_token": "r" };
    expect(refused(await create({ configuration: { ...token, ...values(60) } }))).toEqual([
      413,
      "body_too_large",
      "body",
    ]);
    expect(refused(await create({ configuration: { ...token, ...values(10) } }))).toEqual([
      400,
      "too_large",
      "configuration",
    ]);
    for (const field of ["access_token", "refresh_token"]) {
      const providerData = { access_token: "a", [field]: "t".repeat(budgets.importedToken + 1) };
      expect(refused(await create({ providerData }))).toEqual([400, "too_large", `providerData.${field}`]);
    }
    expect(strict().gate.requests).toEqual([]);
    expect(await instances()).toBe(before);
  });

  it("is refused in one change or in several, and the connection keeps working", async () => {
    const instance = await lab.connectExpired("strict");
    const path = `/instances/${instance.id}`;
    expect(refused(await call("PATCH", path, { configuration: values(100) }))).toEqual([
      413,
      "body_too_large",
      "body",
    ]);
    expect(refused(await call("PATCH", path, { configuration: values(30) }))).toEqual([
      400,
      "too_large",
      "configuration",
    ]);
    const answers: number[] = [];
    for (const [key, value] of Object.entries(values(5))) {
      answers.push((await call("PATCH", path, { configuration: { [key]: value } })).status);
    }
    expect(answers).toEqual([200, 200, 400, 400, 400]);
    await call("PATCH", path, { configuration: { small: "x" } });
    const single = await call("PATCH", `${path}/configuration/small`, { propertyValue: "x".repeat(8_000) });
    expect(refused(single)).toEqual([400, "too_large", "configuration"]);
    expect((await lab.me(instance)).status).toBe(200);
  });

  it("is refused where the hosted flow and authorization URLs begin", async () => {
    const session = (body: Record<string, unknown>) =>
      call("POST", "/connect/sessions", {
        element: { key: "strict" },
        returnUrl: "http://127.0.0.1:4000/",
        endUser: "user-1",
        ...body,
      });
    expect(refused(await session({ configuration: values(90) }))).toEqual([413, "body_too_large", "body"]);
    const allowed = await session({});
    // When the return URL is on the demo's list, the configuration is refused.
    if (allowed.status === 200) {
      expect(refused(await session({ configuration: values(20) }))).toEqual([
        400,
        "too_large",
        "configuration",
      ]);
    }
    const url = (body: Record<string, string>) => call("POST", "/elements/strict/oauth/url", body);
    expect(refused(await url({ apiKey: "k".repeat(1_000_000) }))).toEqual([413, "body_too_large", "body"]);
    for (const field of ["apiKey", "callbackUrl", "scope", "siteAddress", "subdomain"]) {
      expect(refused(await url({ [field]: "k".repeat(20_000) }))).toEqual([400, "too_large", field]);
    }
  });
});

describe("a vendor that sends 300 more members with its tokens", () => {
  it("still gives a working connection, at the first exchange and at each refresh", async () => {
    strict().gate.alter(isCodeExchange, crowded(1_500));
    const startedAt = performance.now();
    const made = await call("POST", "/instances", {
      element: { key: "strict" },
      providerData: await signedIn(),
    });
    expect(made.status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect((await lab.me(made.body)).status).toBe(200);
    strict().gate.alter(isRefresh, crowded(1_500));
    for (let round = 0; round < 3; round++) {
      lab.platform.clock.advance(HOUR + MINUTE);
      expect((await lab.me(made.body)).status).toBe(200);
    }
    const stored = await storedInstance(lab.platform, made.body.id);
    expect(itemBytes({ ...stored })).toBeLessThan(budgets.extra + 16_000);
    expect(strict().mostSent()).toBe(1);
  });
});

describe("an item that an older version let grow to its limit", () => {
  /** Fills the item as the older version's `PATCH` could: only a few hundred bytes are left. */
  async function fill(id: number): Promise<void> {
    const { documents } = dynamoClient(lab.platform.operator);
    const stored = await storedInstance(lab.platform, id);
    const room = ITEM_BYTES - itemBytes({ ...stored }) - 1_000;
    await documents.send(
      new UpdateCommand({
        TableName: outputOf("InstancesTable"),
        Key: { instanceId: id, item: "instance" },
        UpdateExpression: "SET configuration.filler = :filler",
        ExpressionAttributeValues: { ":filler": "f".repeat(room) },
      }),
    );
    documents.destroy();
  }
  const longer =
    (more: object) => (answer: { status: number; headers: Record<string, string>; body: string }) => ({
      ...answer,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...(JSON.parse(answer.body) as object), ...more }),
    });

  it("stores the new tokens, without the other members of the answer", async () => {
    const instance = await lab.connectExpired("strict");
    await fill(instance.id);
    strict().gate.alter(isRefresh, longer({ member: "m".repeat(5_000) }));
    expect((await lab.me(instance)).status).toBe(200);
    expect([strict().refreshes(), lab.outcomes(instance)]).toEqual([1, ["refreshed"]]);
  });

  it("without room for the new tokens fails its refresh at once, and works again when the item is smaller", async () => {
    const instance = await lab.connectExpired("steady");
    await fill(instance.id);
    steady().gate.alter(isRefresh, longer({ access_token: "a".repeat(5_000) }));
    const startedAt = performance.now();
    const answer = await lab.me(instance);
    expect(answer.status).toBe(503);
    await lab.platform.settled();
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(lab.outcomes(instance)).toEqual(["lost"]);
    expect((await lab.status(instance)).lastError?.code).toBe("store_refused");
    steady().gate.clear();
    const shrunk = await call("PUT", `/instances/${instance.id}`, { name: "Mine", configuration: {} });
    expect(shrunk.status).toBe(200);
    lab.platform.clock.advance(5 * MINUTE);
    expect((await lab.me(instance)).status).toBe(200);
  });
});

describe("a new connection's rescue record that is too large for the table", { timeout: 120_000 }, () => {
  it("ends with the next sweep: the grant is revoked, an event is sent, the record is deleted", async () => {
    const providerData = await signedIn();
    const hold = strict().gate.hold("after", isCodeExchange);
    const creating = call("POST", "/instances", { element: { key: "strict" }, providerData });
    await hold.reached;
    lab.platform.frontDoor.fail({
      service: "dynamodb",
      action: "PutItem",
      principal: "Connections",
      status: 500,
      count: Number.POSITIVE_INFINITY,
    });
    hold.release();
    const made = await creating;
    expect(made.status).toBe(200);
    lab.platform.frontDoor.clearFaults();

    // The record as the older version wrote it, with a configuration that could have any size.
    const Bucket = outputOf("RescueBucket");
    const Key = `rescue/${made.body.id}/new`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const record = JSON.parse((await Body?.transformToString()) ?? "") as {
      instance: { configuration: object };
    };
    record.instance.configuration = values(60);
    expect(jsonBytes(record)).toBeGreaterThan(ITEM_BYTES);
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(record) }));

    const living = strict().living();
    lab.platform.clock.advance(LEASE_MS);
    await lab.sweep();
    expect(strict().living()).toBe(living - 1);
    expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "rescue/" }))).KeyCount).toBe(0);
    expect(lab.outcomes(made.body).at(-1)).toBe("lost");
    expect((await lab.me(made.body)).status).toBe(401);
  });
});
