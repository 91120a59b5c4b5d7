import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { runAdmin } from "../platform/run-admin.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";
import { appOfAnotherOrganization, operatorOf, storedInstance } from "./tenants.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ada = "ada@example.com";

let platform: RunningPlatform;
let app: App;
/** The app of another organization with the same clients. */
let others: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  others = await appOfAnotherOrganization(platform);
});
afterAll(() => platform.close());
afterEach(() => {
  for (const vendor of Object.values(platform.vendors)) vendor.clearFaults();
});

function vendorOf(connector: string): StandIn {
  const vendor = platform.vendors[connector];
  if (vendor === undefined) throw new Error(`no stand-in for ${connector}`);
  return vendor;
}

const grants = (connector: string): number => vendorOf(connector).living(ada).grants;
const ping = async (token: string): Promise<number> =>
  (await app.hub(token, "GET", "/hubs/documents/ping")).status;

async function connect(connector: string, by = app): Promise<CreatedInstance> {
  const instance = await by.connect(connector, { login: ada });
  // The account is looked up after the answer.
  await platform.settled();
  return instance;
}

/** Deletes an instance. Its token stops working before the answer; the worker does the rest. */
async function deleteInstance({ id, token }: CreatedInstance, by = app): Promise<void> {
  expect((await by.platform("DELETE", `/instances/${id}`)).status).toBe(200);
  expect(await ping(token)).toBe(401);
}

async function deleteToTheEnd(instance: CreatedInstance, by = app): Promise<void> {
  await deleteInstance(instance, by);
  await platform.settled();
  // Where siblings are looked for, the worker waits until the index contains them.
  if ((await storedInstance(platform, instance.id)) !== undefined) await sweepAfter(MINUTE);
  expect(await storedInstance(platform, instance.id)).toBeUndefined();
}

async function sweepAfter(ms: number): Promise<void> {
  platform.clock.advance(ms);
  await platform.sweep();
  await platform.settled();
}

/** Outcomes that the worker counted for an instance. */
function counted(id: number): unknown[] {
  const records = platform.lambda.metrics("RefreshWorker") as readonly Record<string, unknown>[];
  return records.filter(({ instanceId }) => instanceId === id).map(({ Outcome }) => Outcome);
}

/** Checks that an instance works now, and works when its access token has expired, so its refresh token is valid too. */
async function worksOn({ token }: CreatedInstance): Promise<void> {
  expect(await ping(token)).toBe(200);
  platform.clock.advance(5 * HOUR);
  expect(await ping(token)).toBe(200);
}

describe("deleting one of two instances of one account", () => {
  it("ends only its own token when a revocation ends one token (Dropbox)", async () => {
    const [one, other] = [await connect("dropbox"), await connect("dropbox")];
    expect(grants("dropbox")).toBe(2);
    await deleteToTheEnd(one);
    expect(grants("dropbox")).toBe(1);
    expect(counted(one.id)).toEqual(["revoked"]);
    await worksOn(other);
    await deleteToTheEnd(other);
    expect(grants("dropbox")).toBe(0);
  });

  it("revokes nothing while a revocation would end the whole consent (Google), until the last instance is deleted", async () => {
    const [one, other] = [await connect("googledrive"), await connect("googledrive")];
    vendorOf("googledrive").clearRequests();
    const revocations = () =>
      vendorOf("googledrive")
        .requests()
        .filter(({ endpoint }) => endpoint === "revocation").length;
    await deleteToTheEnd(one);
    expect([revocations(), grants("googledrive")]).toEqual([0, 2]);
    await worksOn(other);
    await deleteToTheEnd(other);
    expect([revocations(), grants("googledrive")]).toEqual([1, 0]);
    expect([counted(one.id), counted(other.id).at(-1)]).toEqual([[], "revoked"]);
  });
});

describe("an instance of another organization with the same Google client and account", () => {
  it("still works when the first is deleted, and the consent ends with the last instance", async () => {
    const [ours, theirs] = [await connect("googledrive"), await connect("googledrive", others)];
    await deleteToTheEnd(ours);
    expect(counted(ours.id)).toEqual([]);
    await worksOn(theirs);
    await deleteToTheEnd(theirs, others);
    expect(grants("googledrive")).toBe(0);
    expect(counted(theirs.id).at(-1)).toBe("revoked");
  });

  it("still works when the first is deleted right after this one was connected", async () => {
    const ours = await connect("googledrive");
    const theirs = await others.connect("googledrive", { login: ada });
    await deleteToTheEnd(ours);
    await worksOn(theirs);
    await deleteToTheEnd(theirs, others);
    expect(grants("googledrive")).toBe(0);
  });
});

describe("an import of another organization that names the same Google client without proof", () => {
  const login = "lonely@example.com";
  const living = (): number => vendorOf("googledrive").living(login).grants;
  /** Makes such an import: everybody can read the client's id in an authorization URL. */
  async function plant(): Promise<CreatedInstance> {
    const { status, body } = await others.platform<CreatedInstance>("POST", "/instances", {
      element: { key: "googledrive" },
      configuration: {
        "oauth.api.key": platform.demo.connectors.googledrive?.clientId,
        "oauth.api.secret": "made up",
        "oauth.user.token": "garbage",
      },
      name: "Planted",
    });
    expect(status).toBe(200);
    await platform.settled();
    return body;
  }

  it("does not keep the user's consent alive, and does not end it when the import is deleted", {
    timeout: 120_000,
  }, async () => {
    vendorOf("googledrive").addAccount({ login, name: "Lonely", email: login });
    const instance = await app.connect("googledrive", { login });
    await platform.settled();
    const first = await plant();
    await deleteInstance(first, others);
    for (let hours = 0; hours < 3; hours++) await sweepAfter(HOUR);
    expect(await storedInstance(platform, first.id)).toBeUndefined();
    expect(living()).toBe(1);
    await worksOn(instance);

    const second = await plant();
    await deleteToTheEnd(instance);
    expect(counted(instance.id)).toContain("revoked");
    expect(living()).toBe(0);
    expect(await storedInstance(platform, second.id)).toBeDefined();
    await deleteInstance(second, others);
    for (let hours = 0; hours < 3; hours++) await sweepAfter(HOUR);
  });
});

describe("two instances of one Google account that are deleted at the same time", () => {
  it("do not keep the consent alive for each other", async () => {
    const both = [await connect("googledrive"), await connect("googledrive")];
    for (const instance of both) await deleteInstance(instance);
    await platform.settled();
    expect(grants("googledrive")).toBe(2);
    await sweepAfter(MINUTE);
    for (const { id } of both) expect(await storedInstance(platform, id)).toBeUndefined();
    expect(grants("googledrive")).toBe(0);
  });
});

describe.each(["dropbox", "googledrive"])("while %s refuses revocations", (connector) => {
  const down = () => vendorOf(connector).fail({ endpoint: "revocation", status: 503, count: 1_000 });

  it("the instance stops working at once and waits, and a later try ends the grant", async () => {
    const instance = await connect(connector);
    const before = grants(connector);
    down();
    await deleteInstance(instance);
    await platform.settled();
    expect(await storedInstance(platform, instance.id)).toMatchObject({ deleting: true });
    expect((await app.platform("GET", `/instances/${instance.id}`)).status).toBe(404);
    await sweepAfter(2 * MINUTE);
    expect(await storedInstance(platform, instance.id)).toMatchObject({ deleting: true });
    expect(grants(connector)).toBe(before);

    vendorOf(connector).clearFaults();
    await sweepAfter(HOUR);
    expect(await storedInstance(platform, instance.id)).toBeUndefined();
    expect(grants(connector)).toBe(before - 1);
    expect(counted(instance.id)).toEqual(["revoked"]);
  });

  it("for 7 days, the instance is given up: deleted, and counted as lost for the alarm; meanwhile it is not overdue", {
    timeout: 60_000,
  }, async () => {
    const instance = await connect(connector);
    down();
    await deleteInstance(instance);
    await platform.settled();
    const overdue = (): number => {
      const records = platform.lambda.metrics("RefreshSweep") as readonly Record<string, number>[];
      return records.at(-1)?.OldestOverdue ?? Number.NaN;
    };
    for (let hours = 6; hours < 7 * 24; hours += 6) {
      await sweepAfter(6 * HOUR);
      expect(await storedInstance(platform, instance.id), `after ${hours} h`).toMatchObject({
        deleting: true,
      });
    }
    // There is no sweep for six hours each time, but the instance was looked at before, so it is not overdue for longer.
    expect(overdue()).toBeLessThanOrEqual(6 * HOUR);
    expect(counted(instance.id)).toEqual([]);
    await sweepAfter(DAY);
    expect(await storedInstance(platform, instance.id)).toBeUndefined();
    expect(counted(instance.id)).toEqual(["lost"]);
    expect(await ping(instance.token)).toBe(401);
    vendorOf(connector).revokeGrants(ada);
  });
});

describe("revoke-all", () => {
  it("ends only the instances that match every filter, also at the vendor", {
    timeout: 120_000,
  }, async () => {
    const otherId =
      (await operatorOf(platform).listOrganizations()).find(({ name }) => name === "Other")?.id ?? "";
    const client = platform.demo.connectors.dropbox?.clientId ?? "";
    const all = {
      dropbox: await connect("dropbox"),
      drive: await connect("googledrive"),
      otherDropbox: await connect("dropbox", others),
      otherDrive: await connect("googledrive", others),
    };
    const alive = async (): Promise<string[]> => {
      const statuses = await Promise.all(
        Object.entries(all).map(async ([name, { token }]) => [name, await ping(token)] as const),
      );
      return statuses.filter(([, status]) => status === 200).map(([name]) => name);
    };
    const revokeAll = async (...filters: string[]) =>
      (await runAdmin(platform, ["revoke-all", ...filters])).answer;

    expect(await revokeAll("--connector", "googledrive")).toEqual({
      found: 2,
      pendingSignIns: 0,
      revoked: 0,
    });
    expect(await alive()).toEqual(Object.keys(all));

    const both = ["--organization", otherId, "--client", client];
    expect(await revokeAll(...both, "--yes")).toEqual({ found: 1, pendingSignIns: 0, revoked: 1 });
    expect(await alive()).toEqual(["dropbox", "drive", "otherDrive"]);
    await platform.settled();
    expect(grants("dropbox")).toBe(1);

    expect(await revokeAll("--connector", "googledrive", "--yes")).toEqual({
      found: 2,
      pendingSignIns: 0,
      revoked: 2,
    });
    expect(await alive()).toEqual(["dropbox"]);
    await platform.settled();
    await sweepAfter(MINUTE);
    expect(grants("googledrive")).toBe(0);

    expect(await revokeAll("--organization", otherId, "--yes")).toEqual({
      found: 0,
      pendingSignIns: 0,
      revoked: 0,
    });
    expect(await revokeAll("--client", client, "--yes")).toEqual({ found: 1, pendingSignIns: 0, revoked: 1 });
    expect(await alive()).toEqual([]);
    await platform.settled();
    expect(grants("dropbox")).toBe(0);
    for (const { id } of Object.values(all)) expect(await storedInstance(platform, id)).toBeUndefined();
  });
});
