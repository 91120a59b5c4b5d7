import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openConfiguration, openGrant, sealGrant } from "../../../functions/core/grant/store/sealed-grant.ts";
import type { InstanceStore } from "../../../functions/core/instances/instance-store.ts";
import type { RescueRecord } from "../../../functions/core/instances/rescue-store.ts";
import { clientSecretPlace } from "../../../functions/core/oauth/client-resolver.ts";
import { KEY_REST_MS } from "../../../functions/core/tenants/data-keys.ts";
import { keyIdOf } from "../../../functions/core/vault/sealed-format.ts";
import { SealBroken } from "../../../functions/core/vault/vault.ts";
import { KeyBench } from "./key-bench.ts";

let bench: KeyBench;
beforeAll(async () => {
  bench = await KeyBench.open();
});
afterAll(() => bench.close());

async function acme(instances = 2) {
  const { organization } = await bench.tenants.createOrganization({ name: "Acme" });
  const app = await bench.tenants.registerApp({
    organizationId: organization.id,
    connector: "dropbox",
    clientId: "client",
    clientSecret: "client-secret",
    callbackUrls: [],
  });
  const ids: number[] = [];
  for (let made = 0; made < instances; made++) ids.push(await bench.instance(organization.id));
  return { id: organization.id, app, ids, firstKey: organization.dataKeys[0]?.id ?? "" };
}

const keysOf = async (id: string) => (await bench.records.organization(id))?.dataKeys.map((key) => key.id);
const tokenOf = async (id: number): Promise<string> => {
  const instance = await bench.read(id);
  return (await openGrant(bench.vault, instance, instance.version, instance.grant)).accessToken;
};

describe("rotating a data key", () => {
  it("adds a version that seals from now on, while the older version still opens its secrets", async () => {
    const { id, ids, firstKey } = await acme(1);
    const { version, versions } = await bench.rotate(id);
    expect([versions, await keysOf(id)]).toEqual([2, [firstKey, version.id]]);
    const later = await bench.instance(id);
    expect(keyIdOf((await bench.read(later)).grant)).toBe(version.id);
    expect(await tokenOf(ids[0] ?? 0)).toBe(`token-${ids[0]}`);
  });

  it("succeeds for at least one of two at the same time, and never loses a version", async () => {
    const { id } = await acme(0);
    const both = await Promise.allSettled([bench.rotate(id), bench.rotate(id)]);
    const done = both.filter(({ status }) => status === "fulfilled").length;
    expect(done).toBeGreaterThanOrEqual(1);
    expect((await keysOf(id))?.length).toBe(1 + done);
    expect(both.filter((each) => each.status === "rejected").map(({ reason }) => reason.code)).toEqual(
      done === 2 ? [] : ["changed"],
    );
  });

  it("fails after twenty versions, and for an organization that does not exist", async () => {
    const { id } = await acme(0);
    for (let made = 1; made < 20; made++) await bench.rotate(id);
    await expect(bench.rotate(id)).rejects.toMatchObject({ code: "too_many_versions" });
    await expect(bench.rotate("nosuch")).rejects.toMatchObject({ status: 404 });
  });
});

describe("re-sealing", () => {
  it("puts grants, configuration and client secrets under the newest version without changing them", async () => {
    const { id, app, ids } = await acme();
    const { version } = await bench.rotate(id);
    expect(await bench.reseal(id)).toMatchObject({ resealed: 3, current: 0, broken: [], retired: [] });
    for (const each of ids) {
      const instance = await bench.read(each);
      expect([keyIdOf(instance.grant), keyIdOf(instance.sealedConfiguration ?? new Uint8Array())]).toEqual([
        version.id,
        version.id,
      ]);
      expect(instance).toMatchObject({ version: 1, fence: 1 });
      expect(await tokenOf(each)).toBe(`token-${each}`);
      expect(await openConfiguration(bench.vault, instance)).toEqual({ k: `secret-${each}` });
    }
    const [stored] = await bench.records.listApps(id);
    const sealed = stored?.clientSecret ?? new Uint8Array();
    expect(keyIdOf(sealed)).toBe(version.id);
    expect(await bench.vault.open(clientSecretPlace(id, app.id), sealed)).toBe("client-secret");

    expect(await bench.reseal(id)).toMatchObject({ resealed: 0, current: 3 });
  });

  it("removes an old version only after eight days of rest, and everything can still be opened", async () => {
    const { id, ids, firstKey } = await acme();
    const { version } = await bench.rotate(id);
    bench.now += KEY_REST_MS - 1;
    expect(await bench.reseal(id)).toMatchObject({ retired: [], kept: [{ id: firstKey, why: "resting" }] });
    bench.now += 1;
    expect(await bench.reseal(id)).toMatchObject({ retired: [firstKey], kept: [] });
    expect(await keysOf(id)).toEqual([version.id]);
    for (const each of ids) expect(await tokenOf(each)).toBe(`token-${each}`);
  });

  it("counts each version's rest from the rotation that replaced it", async () => {
    const { id, firstKey } = await acme(0);
    const second = await bench.rotate(id);
    bench.now += KEY_REST_MS - 1000;
    const third = await bench.rotate(id);
    bench.now += 1000;
    expect(await bench.reseal(id)).toMatchObject({
      retired: [firstKey],
      kept: [{ id: second.version.id, why: "resting" }],
    });
    expect(await keysOf(id)).toEqual([second.version.id, third.version.id]);
  });

  it("keeps a version while a rescue record is sealed with it", async () => {
    const { id, ids, firstKey } = await acme(1);
    const place = { id: ids[0] ?? 0, organizationId: id };
    const grant = await sealGrant(bench.vault, place, 2, bench.grant("rescued"));
    const record: RescueRecord = {
      kind: "refresh",
      instanceId: place.id,
      organizationId: id,
      connector: "dropbox",
      epoch: "1",
      baseVersion: 1,
      fence: 2,
      grant,
      refreshedAt: bench.now,
    };
    bench.rescued.set("rescue/1/2", record);
    await bench.rotate(id);
    bench.now += KEY_REST_MS;
    expect(await bench.reseal(id)).toMatchObject({ retired: [], kept: [{ id: firstKey, why: "in_use" }] });

    // A record that is written while the tables are read: a replaced grant that must be ended.
    bench.rescued.clear();
    const instances: InstanceStore = {
      ...bench.instances,
      getMany: async (ids) => {
        bench.rescued.set("rescue/1/2", record);
        return await bench.instances.getMany(ids);
      },
    };
    expect(await bench.reseal(id, instances)).toMatchObject({
      retired: [],
      kept: [{ id: firstKey, why: "in_use" }],
    });
    bench.rescued.clear();
    expect(await bench.reseal(id)).toMatchObject({ retired: [firstKey] });
  });

  it("names a secret that it cannot open, and keeps the version of that secret", async () => {
    const { id, ids, firstKey } = await acme();
    const [first = 0, second = 0] = ids;
    await bench.instances.reseal(first, { version: 1, fence: 1 }, (await bench.read(second)).grant);
    await bench.rotate(id);
    bench.now += KEY_REST_MS;
    expect(await bench.reseal(id)).toMatchObject({
      broken: [`instance/${first}`],
      retired: [],
      kept: [{ id: firstKey, why: "in_use" }],
    });
  });

  it("never undoes a refresh that comes in between, and does not disturb one in progress", async () => {
    const { id, ids } = await acme(1);
    const [only = 0] = ids;
    await bench.rotate(id);
    let interfered = 0;
    const result = await bench.reseal(id, {
      ...bench.instances,
      async reseal(instanceId, seen, grant) {
        // Another process takes the lease; then, when the re-seal tries again, commits.
        interfered += 1;
        if (interfered === 1) await bench.instances.takeLease(instanceId, seen, bench.now + 100_000);
        if (interfered === 2) {
          const place = { id: instanceId, organizationId: id };
          await bench.instances.commit(
            instanceId,
            { version: 1 },
            {
              fence: 2,
              grant: await sealGrant(bench.vault, place, 2, bench.grant("refreshed")),
              refreshedAt: bench.now,
            },
          );
        }
        return bench.instances.reseal(instanceId, seen, grant);
      },
    });
    // The instance and the app's client secret.
    expect([interfered, result.resealed]).toEqual([2, 2]);
    expect(await bench.read(only)).toMatchObject({ version: 2, fence: 2 });
    expect(await tokenOf(only)).toBe("refreshed");
  });

  it("does not restore a replaced client secret", async () => {
    const { id, app } = await acme(0);
    const [stale] = await bench.records.listApps(id);
    await bench.tenants.replaceClientSecret({
      organizationId: id,
      connector: "dropbox",
      appId: app.id,
      clientSecret: "newer",
    });
    if (stale === undefined) throw new Error("the app is missing");
    expect(await bench.records.resealApp(stale, stale.clientSecret)).toBe(false);
  });
});

describe("deleting an organization", () => {
  it("first suspends and revokes, and shreds when nothing is left and nothing can be in progress", async () => {
    const { id, ids } = await acme();
    const { secret } = await bench.tenants.createUser({
      organizationId: id,
      email: "a@b.example",
      firstName: "",
      lastName: "",
    });
    const begun = await bench.delete(id);
    expect(begun).toMatchObject({ state: "revoking", left: [{ deleting: true }, { deleting: true }] });
    expect(await bench.records.organization(id)).toMatchObject({ status: "suspended" });
    await expect(bench.tenants.setStatus({ organizationId: id }, "active")).rejects.toMatchObject({
      code: "being_deleted",
    });
    await expect(bench.rotate(id)).rejects.toMatchObject({ code: "being_deleted" });

    for (const each of ids) await bench.instances.remove(each);
    expect(await bench.delete(id)).toMatchObject({ state: "revoking", left: [] });
    bench.now = begun.shreddedFrom;
    expect(await bench.delete(id)).toMatchObject({ state: "shredded", left: [] });
    expect(await bench.records.organization(id)).toBeUndefined();
    expect(await bench.records.listUsers(id)).toEqual([]);
    expect(await bench.records.listApps(id)).toEqual([]);
    expect(await bench.tenants.removeSecret(secret)).toBe(false);
    await expect(bench.delete(id)).rejects.toMatchObject({ status: 404 });
  });

  it("gives up after seven days, names the grants that are not revoked, and nothing can be opened any more", async () => {
    const { id, ids } = await acme();
    const other = await acme(1);
    const [first] = await Promise.all(ids.map((each) => bench.read(each)));
    const begun = await bench.delete(id);
    bench.now = begun.givenUpFrom;
    const given = await bench.delete(id);
    expect(given.state).toBe("shredded");
    expect(given.left.map((each) => each.id).sort()).toEqual(ids.toSorted());
    for (const each of ids) expect((await bench.instances.get(each)).value).toBeUndefined();
    if (first === undefined) throw new Error("the instance is missing");
    await expect(openGrant(bench.vault, first, 1, first.grant)).rejects.toThrow(SealBroken);
    expect(await tokenOf(other.ids[0] ?? 0)).toBe(`token-${other.ids[0]}`);
  });

  it("ends pending sign-ins too, and waits until they are removed", async () => {
    const { id, ids } = await acme(1);
    for (const each of ids) {
      await bench.instances.markDeleting(each, bench.now);
      await bench.instances.remove(each);
    }
    const pending = {
      instanceId: 4711,
      sessionId: "cs_1",
      epoch: "000000000000001-state",
      organizationId: id,
      userId: "user",
      connector: "dropbox",
      grant: new Uint8Array([1]),
      at: bench.now,
      endsAt: bench.now + 1_800_000,
      refreshGroup: "group",
    };
    await bench.pendings.put(pending);
    const begun = await bench.delete(id);
    expect(begun).toMatchObject({ state: "revoking", left: [], pendings: 1 });
    expect((await bench.pendings.get(pending)).value).toMatchObject({ endingSince: bench.now });
    bench.now = begun.shreddedFrom;
    expect(await bench.delete(id)).toMatchObject({ state: "revoking", pendings: 1 });
    await bench.pendings.remove(pending);
    expect(await bench.delete(id)).toMatchObject({ state: "shredded", pendings: 0 });
  });

  it("shreds at once when the operator says so, with the rescue records", async () => {
    const { id, ids } = await acme(1);
    const instance = await bench.read(ids[0] ?? 0);
    bench.rescued.set("rescue/1/new", { kind: "new", instance });
    bench.rescued.set("rescue/2/new", { kind: "new", instance: { ...instance, organizationId: "else" } });
    expect(await bench.delete(id, { shredNow: true })).toMatchObject({ state: "shredded", rescueRecords: 1 });
    expect([...bench.rescued.keys()]).toEqual(["rescue/2/new"]);
    bench.rescued.clear();
  });

  it("continues after a run that was interrupted when the key was gone", async () => {
    const { id, ids } = await acme(1);
    await bench.delete(id);
    const keys = (await bench.records.organization(id))?.dataKeys ?? [];
    expect(await bench.records.replaceDataKeys(id, keys, [])).toBe(true);
    await expect(tokenOf(ids[0] ?? 0)).rejects.toThrow(SealBroken);
    expect(await bench.delete(id)).toMatchObject({ state: "shredded" });
    expect(await bench.records.organization(id)).toBeUndefined();
  });
});
