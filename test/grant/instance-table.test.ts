import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { type OpenTables, tables } from "./open-instance-table.ts";

describe.each(tables)("the instances table %s", (_name, open) => {
  const grant = (text: string): Uint8Array => new TextEncoder().encode(text);
  let opened: OpenTables;
  let table: OpenTables["instances"];
  let nextId = 1000;
  let instance: Instance;

  beforeAll(async () => {
    opened = await open();
    table = opened.instances;
  });
  afterAll(() => opened.close());

  function newInstance(changes: Partial<Instance> = {}): Instance {
    const id = nextId++;
    return {
      id,
      organizationId: `org-${id}`,
      userId: "user",
      connector: "dropbox",
      name: "Mine",
      tags: ["a", "b"],
      createdAt: 1_000,
      updatedAt: 1_000,
      configuration: { "oauth.callback.url": "https://app/cb" },
      secretConfigurationKeys: [],
      tokenHashes: [{ hash: "h" }],
      fence: 3,
      version: 2,
      epoch: "000000000001000-state",
      grant: grant("sealed"),
      enabled: true,
      dueAt: 5_000,
      refreshGroup: "group",
      ...changes,
    };
  }

  beforeEach(async () => {
    instance = newInstance();
    expect(await table.create(instance)).toBe(true);
  });

  const read = async (id = instance.id): Promise<Instance | undefined> => (await table.get(id)).value;
  const dueIds = async (shard: number, now = 10_000): Promise<number[]> =>
    (await opened.due.due(shard, now, 100)).items.map(({ id }) => id);
  const shard = (): number => instance.id % 4;

  describe("reading", () => {
    test("returns what was put, with every byte, and adds the shard", async () => {
      expect(await read()).toEqual({ ...instance, refreshShard: shard() });
    });

    test("returns the store's time and the time of the request", async () => {
      const before = performance.now();
      const { reading } = await table.get(instance.id);
      expect(reading.monotonicMs).toBeGreaterThanOrEqual(before);
      expect(reading.monotonicMs).toBeLessThanOrEqual(performance.now());
      expect(reading.dateMs % 1000).toBe(0);
      expect(Math.abs(reading.dateMs - Date.now())).toBeLessThan(5_000);
      expect(Math.abs(opened.now() - Date.now())).toBeLessThan(5_000);
    });

    test("also returns the store's time for an instance that does not exist", async () => {
      const { value, reading } = await table.get(1);
      expect(value).toBeUndefined();
      expect(reading.dateMs).toBeGreaterThan(0);
    });
  });

  test("an id cannot be used by a second instance", async () => {
    expect(await table.create({ ...instance, name: "thief" })).toBe(false);
    expect((await read())?.name).toBe("Mine");
  });

  describe("lease", () => {
    test("is taken on the version and fence that were read, and only once", async () => {
      expect(await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000)).toBe(true);
      expect(await read()).toMatchObject({ fence: 4, until: 99_000, version: 2 });
      expect(await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000)).toBe(false);
      expect(await table.takeLease(instance.id, { version: 1, fence: 4 }, 99_000)).toBe(false);
      expect(await read()).toMatchObject({ fence: 4, until: 99_000 });
    });

    test("is released only by the fence that holds it", async () => {
      await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000);
      expect(await table.release(instance.id, 3)).toBe(false);
      const change = { dueAt: 7_000, retryAt: 6_000, attempts: 1, lastError: "vendor_unreachable" };
      expect(await table.release(instance.id, 4, change)).toBe(true);
      const released = await read();
      expect(released).toMatchObject({ fence: 4, ...change });
      expect(released?.until).toBeUndefined();
    });
  });

  describe("an instance that is being deleted", () => {
    beforeEach(async () => {
      await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000);
      await table.markDeleting(instance.id, 4_000);
    });

    test("keeps its due time when a failed refresh gives its lease back", async () => {
      expect(await table.release(instance.id, 4, { dueAt: 900_000, attempts: 1, lastError: "x" })).toBe(
        false,
      );
      const released = await read();
      expect(released).toMatchObject({ fence: 4, dueAt: 4_000, deleting: true });
      for (const name of ["until", "attempts", "lastError"]) expect(released).not.toHaveProperty(name);
      expect(await dueIds(shard(), 4_000)).toContain(instance.id);
    });

    test("keeps its due time when a worker that read the item before settles it", async () => {
      expect(await table.setDueAt(instance.id, 4_000, undefined)).toBe(false);
      expect(await table.setDueAt(instance.id, 4_000, 900_000)).toBe(false);
      expect(await read()).toMatchObject({ dueAt: 4_000 });
    });

    test("gets the due time that its deletion sets, whatever its due time is", async () => {
      expect(await table.setDeletionDueAt(instance.id, 6_000)).toBe(true);
      expect(await read()).toMatchObject({ dueAt: 6_000 });
      const other = newInstance();
      await table.create(other);
      expect(await table.setDeletionDueAt(other.id, 6_000)).toBe(false);
      expect(await table.setDeletionDueAt(1, 6_000)).toBe(false);
      expect(await read(1)).toBeUndefined();
    });

    test("is marked first by only one of several deletes", async () => {
      expect(await table.markDeleting(instance.id, 5_000, "first")).toBe(false);
      expect(await table.markDeleting(1, 5_000, "first")).toBe(false);
      const other = newInstance();
      await table.create(other);
      const marked = await Promise.all([1, 2, 3].map(() => table.markDeleting(other.id, 5_000, "first")));
      expect(marked.toSorted()).toEqual([false, false, true]);
    });

    test("is claimed by one worker at a time", async () => {
      const other = newInstance();
      await table.create(other);
      expect(await table.claimDeletion(other.id, {}, 5_000)).toBe(false);
      expect(await table.claimDeletion(1, {}, 5_000)).toBe(false);
      expect(await table.claimDeletion(instance.id, {}, 5_000)).toBe(true);
      expect(await table.claimDeletion(instance.id, {}, 6_000)).toBe(false);
      expect(await table.claimDeletion(instance.id, { deletionUntil: 5_000 }, 7_000)).toBe(true);
      expect(await read()).toMatchObject({ deletionUntil: 7_000, dueAt: 4_000 });
      await table.setDeletionDueAt(instance.id, 8_000);
      expect(await read()).not.toHaveProperty("deletionUntil");
    });
  });

  describe("commit", () => {
    test("succeeds on the base version, ends lease, death and failures, and takes its fence as the new version", async () => {
      await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000);
      await table.release(instance.id, 4, { retryAt: 6_000, attempts: 1, lastError: "x" });
      await table.markDead(instance.id, { version: 2, fence: 4 }, "invalid_grant");
      const won = { fence: 4, grant: grant("new"), dueAt: 8_000, refreshedAt: 4_000 };
      expect(await table.commit(instance.id, { version: 2 }, won)).toBe(true);
      const { dueAt, ...rest } = instance;
      expect(await read()).toEqual({
        ...rest,
        fence: 4,
        version: 4,
        grant: grant("new"),
        dueAt: 8_000,
        refreshShard: shard(),
        lastRefreshedAt: 4_000,
      });
    });

    test("is refused for another version", async () => {
      const won = { fence: 4, grant: grant("new"), refreshedAt: 4_000 };
      expect(await table.commit(instance.id, { version: 1 }, won)).toBe(false);
      expect((await read())?.grant).toEqual(grant("sealed"));
    });

    test("works while the instance is disabled, and leaves it disabled", async () => {
      await table.setEnabled(instance.id, false, 2_000);
      const won = { fence: 3, grant: grant("new"), refreshedAt: 4_000 };
      expect(await table.commit(instance.id, { version: 2 }, won)).toBe(true);
      expect(await read()).toMatchObject({ enabled: false, version: 3 });
    });

    test("is refused during a deletion, and never creates a deleted item again", async () => {
      const won = { fence: 3, grant: grant("new"), refreshedAt: 4_000 };
      await table.markDeleting(instance.id, 2_000);
      expect(await table.commit(instance.id, { version: 2 }, won)).toBe(false);
      await table.remove(instance.id);
      expect(await table.commit(instance.id, { version: 2 }, won)).toBe(false);
      expect(await read()).toBeUndefined();
    });

    test("without a due time takes the item off the due index", async () => {
      expect(await dueIds(shard())).toContain(instance.id);
      await table.commit(instance.id, { version: 2 }, { fence: 3, grant: grant("new"), refreshedAt: 4_000 });
      expect(await dueIds(shard())).not.toContain(instance.id);
      expect(await read()).not.toHaveProperty("refreshShard");
    });
  });

  describe("death", () => {
    test("is written only for the version and fence that were read, and takes the item off the due index", async () => {
      await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000);
      expect(await table.markDead(instance.id, { version: 2, fence: 3 }, "invalid_grant")).toBe(false);
      expect(await table.markDead(instance.id, { version: 1, fence: 4 }, "invalid_grant")).toBe(false);
      expect(await table.markDead(instance.id, { version: 2, fence: 4 }, "invalid_grant")).toBe(true);
      const dead = await read();
      expect(dead).toMatchObject({ deadVersion: 2, lastError: "invalid_grant" });
      expect(dead?.until).toBeUndefined();
      expect(await dueIds(shard())).not.toContain(instance.id);
    });

    test("leaves the item on the due index when more work is due", async () => {
      await table.markDead(instance.id, { version: 2, fence: 3 }, "invalid_grant", 4_000);
      expect(await read()).toMatchObject({ deadVersion: 2, dueAt: 4_000 });
      expect(await dueIds(shard(), 4_000)).toContain(instance.id);
    });

    test("is not written on an instance that is being deleted", async () => {
      await table.markDeleting(instance.id, 2_000);
      expect(await table.markDead(instance.id, { version: 2, fence: 3 }, "invalid_grant")).toBe(false);
    });

    const death = { version: 2, at: 1_000, reason: "invalid_grant" };
    const lastFailure = { at: 1_000, code: "invalid_grant", error: "invalid_grant" };
    const seen = { version: 2, fence: 3 };

    test("stores its time and reason and removes the record of earlier attempts; a new grant removes all of it", async () => {
      await table.release(instance.id, 3, {
        attempts: 3,
        askedUntil: 9_000,
        refusals: { version: 2, count: 1, since: 1, lastAt: 1 },
      });
      await table.markDead(instance.id, seen, "invalid_grant", 4_000, { death, lastFailure });
      const dead = await read();
      expect(dead).toMatchObject({ deadVersion: 2, death, lastFailure, dueAt: 4_000 });
      for (const gone of ["attempts", "askedUntil", "refusals"]) expect(dead).not.toHaveProperty(gone);
      await table.commit(instance.id, { version: 2 }, { fence: 3, grant: grant("new"), refreshedAt: 4_000 });
      const back = await read();
      for (const gone of ["deadVersion", "death", "lastError", "lastFailure"])
        expect(back).not.toHaveProperty(gone);
    });

    test("lets a worker delete the tokens only of a dead grant, for the version and fence that were read", async () => {
      const left = { grant: grant("empty"), death: { ...death, emptied: true as const } };
      expect(await table.emptyDead(instance.id, seen, left)).toBe(false);
      await table.markDead(instance.id, seen, "invalid_grant", 4_000, { death });
      expect(await table.emptyDead(instance.id, { version: 2, fence: 4 }, left)).toBe(false);
      expect(await table.emptyDead(instance.id, { version: 1, fence: 3 }, left)).toBe(false);
      expect(await table.emptyDead(instance.id, seen, left)).toBe(true);
      expect(await read()).toMatchObject({ grant: grant("empty"), version: 2, fence: 4, deadVersion: 2 });
      expect(await dueIds(shard(), 9_000)).not.toContain(instance.id);
      expect(await table.emptyDead(instance.id, seen, left)).toBe(false);
    });

    test("does not change how the connector's instances are counted", async () => {
      const { count } = opened;
      const before = await count(instance.connector);
      expect(before).toBeGreaterThan(0);
      await table.create(newInstance());
      expect(await count(instance.connector)).toBe(before + 1);
      expect(await count("nobodys")).toBe(0);
    });
  });

  describe("a forced refresh", () => {
    test("is remembered with its lease, through a refresh, until a sign-in", async () => {
      expect(await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000, 1_234)).toBe(true);
      expect(await read()).toMatchObject({ fence: 4, forcedAt: 1_234 });
      await table.commit(instance.id, { version: 2 }, { fence: 4, grant: grant("new"), refreshedAt: 4_000 });
      await table.takeLease(instance.id, { version: 4, fence: 4 }, 99_000);
      expect(await read()).toMatchObject({ fence: 5, forcedAt: 1_234 });
      const won = { epoch: "000000000002000-state", grant: grant("anew"), at: 3_000 };
      expect(await table.signIn(instance.id, { fence: 5, version: 4 }, won)).toBe(true);
      expect(await read()).not.toHaveProperty("forcedAt");
    });
  });

  describe("sign-in", () => {
    const epoch = "000000000002000-state";
    const won = () => ({ epoch, grant: grant("anew"), dueAt: 9_000, at: 3_000, refreshGroup: "other" });

    test("takes the next fence as its version and revives a dead grant", async () => {
      await table.markDead(instance.id, { version: 2, fence: 3 }, "invalid_grant");
      expect(await table.signIn(instance.id, { fence: 3, version: 2 }, won())).toBe(true);
      const back = await read();
      expect(back).toMatchObject({
        epoch,
        fence: 4,
        version: 4,
        grant: grant("anew"),
        refreshGroup: "other",
      });
      expect(back).not.toHaveProperty("deadVersion");
      expect(back).not.toHaveProperty("lastError");
      expect(await dueIds(shard())).toContain(instance.id);
    });

    test("shows only its own account, never that of an earlier sign-in", async () => {
      await table.noteAccount(
        instance.id,
        { epoch: instance.epoch },
        { account: { id: "one" }, consentKey: "one" },
      );
      await table.signIn(instance.id, { fence: 3, version: 2 }, won());
      expect(await read()).not.toHaveProperty("account");
      const later = { ...won(), epoch: "000000000003000-state", changes: { account: { id: "two" } } };
      await table.signIn(instance.id, { fence: 4, version: 4 }, later);
      expect((await read())?.account).toEqual({ id: "two" });
    });

    test("keeps the grants that it replaced until a call with its own epoch removes them", async () => {
      const replacedGrants = [{ version: 2, grant: grant("sealed"), at: 3_000 }];
      await table.signIn(instance.id, { fence: 3, version: 2 }, { ...won(), replacedGrants });
      expect((await read())?.replacedGrants).toEqual(replacedGrants);
      expect(await table.forgetReplaced(instance.id, { epoch: instance.epoch })).toBe(false);
      expect(await table.forgetReplaced(1, { epoch })).toBe(false);
      expect((await read())?.replacedGrants).toEqual(replacedGrants);

      const resealed = [{ version: 2, grant: grant("resealed"), at: 3_000 }];
      expect(await table.resealReplaced(instance.id, { epoch: instance.epoch }, resealed)).toBe(false);
      expect(await table.resealReplaced(instance.id, { epoch }, resealed)).toBe(true);
      expect((await read())?.replacedGrants).toEqual(resealed);

      expect(await table.forgetReplaced(instance.id, { epoch })).toBe(true);
      expect(await read()).not.toHaveProperty("replacedGrants");
      expect(await table.resealReplaced(instance.id, { epoch }, resealed)).toBe(false);
      expect(await read()).not.toHaveProperty("replacedGrants");
    });

    test("without replaced grants removes those that an earlier sign-in left", async () => {
      const replacedGrants = [{ version: 2, grant: grant("sealed"), at: 3_000 }];
      await table.signIn(instance.id, { fence: 3, version: 2 }, { ...won(), replacedGrants });
      const later = { ...won(), epoch: "000000000003000-state" };
      await table.signIn(instance.id, { fence: 4, version: 4 }, later);
      expect(await read()).not.toHaveProperty("replacedGrants");
    });

    test("is refused for an earlier or the same sign-in, for another fence or version, and during a deletion", async () => {
      const seen = { fence: 3, version: 2 };
      expect(await table.signIn(instance.id, { ...seen, fence: 2 }, won())).toBe(false);
      expect(await table.signIn(instance.id, { ...seen, version: 1 }, won())).toBe(false);
      expect(await table.signIn(instance.id, seen, { ...won(), epoch: instance.epoch })).toBe(false);
      expect(await table.signIn(instance.id, seen, { ...won(), epoch: "000000000000999-z" })).toBe(false);
      await table.markDeleting(instance.id, 2_000);
      expect(await table.signIn(instance.id, seen, won())).toBe(false);
      expect((await read())?.version).toBe(2);
    });
  });

  describe("delete", () => {
    test("marks the instance, hides it from its owner, makes it due at once, and stores when the deletion began", async () => {
      const owned = async () => (await table.listByOwner(instance.organizationId, "user")).items;
      expect(await owned()).toHaveLength(1);
      expect(await table.markDeleting(instance.id, 2_000)).toBe(true);
      expect(await table.markDeleting(instance.id, 3_000)).toBe(true);
      expect(await read()).toMatchObject({ deleting: true, deletingSince: 2_000, dueAt: 3_000 });
      expect(await owned()).toHaveLength(0);
      expect((await table.listByOrganization(instance.organizationId)).items).toHaveLength(1);
      expect(await dueIds(shard(), 3_000)).toContain(instance.id);
    });

    test("removes an item only if it is marked", async () => {
      expect(await table.remove(instance.id)).toBe(false);
      await table.markDeleting(instance.id, 2_000);
      expect(await table.remove(instance.id)).toBe(true);
      expect(await table.remove(instance.id)).toBe(false);
      expect(await table.markDeleting(instance.id, 2_000)).toBe(false);
      expect(await read()).toBeUndefined();
    });
  });

  describe("siblings", () => {
    let consentKey: string;
    let sibling: Instance;
    const found = () => table.hasSibling(instance.id, consentKey);
    beforeEach(async () => {
      consentKey = `consent-${nextId}`;
      instance = newInstance({ consentKey });
      sibling = newInstance({ consentKey });
      await table.create(instance);
      expect(await found()).toBe(false);
      await table.create(sibling);
      expect(await found()).toBe(true);
    });

    test("are found across organizations, by one query that reads two at most", async () => {
      expect(sibling.organizationId).not.toBe(instance.organizationId);
      for (let more = 0; more < 5; more++) await table.create(newInstance({ consentKey }));
      const before = opened.operations?.length;
      expect(await found()).toBe(true);
      if (opened.operations !== undefined) expect(opened.operations.slice(before)).toEqual(["QueryCommand"]);
      expect(await table.hasSibling(instance.id, "another consent")).toBe(false);
    });

    test("include those with a second key: imports of one organization whose client is not proven", async () => {
      const unproven = newInstance({ consentKey: `${consentKey}-unproven` });
      await table.create(unproven);
      await table.markDeleting(sibling.id, 2_000);
      expect(await found()).toBe(false);
      expect(await table.hasSibling(instance.id, consentKey, unproven.consentKey)).toBe(true);
      expect(await table.hasSibling(unproven.id, "another consent", unproven.consentKey)).toBe(false);
    });

    test("do not include an instance that is being deleted", async () => {
      await table.markDeleting(sibling.id, 2_000);
      expect(await found()).toBe(false);
    });

    test("stay the same through a lease, a refresh, a dead grant and a disabling", async () => {
      const { id } = sibling;
      await table.takeLease(id, { version: 2, fence: 3 }, 99_000);
      await table.commit(id, { version: 2 }, { fence: 4, grant: grant("new"), refreshedAt: 4_000 });
      await table.markDead(id, { version: 4, fence: 4 }, "invalid_grant");
      await table.setEnabled(id, false, 5_000);
      expect(await found()).toBe(true);
    });

    test("change with the account that is stored for the same sign-in", async () => {
      const { id, epoch } = sibling;
      const noted = { account: { id: "person" }, consentKey: `${consentKey}-noted` };
      expect(await table.noteAccount(id, { epoch: "000000000000001-older" }, noted)).toBe(false);
      expect(await found()).toBe(true);
      expect(await table.noteAccount(id, { epoch }, noted)).toBe(true);
      expect(await read(id)).toMatchObject({ account: noted.account, updatedAt: sibling.updatedAt });
      expect(await found()).toBe(false);
      expect(await table.hasSibling(instance.id, noted.consentKey)).toBe(true);
      await table.markDeleting(id, 3_000);
      expect(await table.noteAccount(id, { epoch }, noted)).toBe(false);
    });

    test("change with a proof of the client, unless the consent key changed meanwhile", async () => {
      const { id, epoch } = sibling;
      const proven = { consentKey: `${consentKey}-proven` };
      expect(await table.noteAccount(id, { epoch, consentKey: "another" }, proven)).toBe(false);
      expect(await table.noteAccount(id, { epoch, consentKey }, proven)).toBe(true);
      expect(await table.noteAccount(id, { epoch, consentKey }, proven)).toBe(false);
      expect(await read(id)).toEqual({
        ...sibling,
        refreshShard: id % 4,
        consentKey: proven.consentKey,
      });
    });

    test("change with a sign-in", async () => {
      const won = { epoch: "000000000002000-state", grant: grant("anew"), at: 3_000, refreshGroup: "other" };
      const moved = { ...won, consentKey: `${consentKey}-moved` };
      expect(await table.signIn(sibling.id, { fence: 3, version: 2 }, moved)).toBe(true);
      expect(await found()).toBe(false);
      expect(await table.hasSibling(instance.id, moved.consentKey)).toBe(true);
    });
  });

  describe("attributes apart from the grant", () => {
    test("are changed by update and enabling, but not during a deletion", async () => {
      expect(await table.update(instance.id, { name: "Yours", tags: [] }, 2_000)).toBe(true);
      expect(await read()).toMatchObject({ name: "Yours", tags: [], updatedAt: 2_000, version: 2 });
      expect(await table.setEnabled(instance.id, true, 2_500)).toBe(true);
      expect(await read()).toMatchObject({ enabled: true, dueAt: 2_500 });
      await table.markDeleting(instance.id, 3_000);
      expect(await table.update(instance.id, { name: "No" }, 4_000)).toBe(false);
      expect(await table.setEnabled(instance.id, false, 4_000)).toBe(false);
      expect(await table.touch(instance.id, 4_000)).toBe(false);
    });

    test("carry a date of change that never runs backwards, whatever clock the writer has", async () => {
      expect(await table.update(instance.id, { name: "Late" }, 9_000)).toBe(true);
      expect(await table.update(instance.id, { name: "Early" }, 8_000)).toBe(true);
      expect(await read()).toMatchObject({ name: "Early", updatedAt: 9_000 });
      expect(await table.setEnabled(instance.id, false, 8_500)).toBe(true);
      expect(await read()).toMatchObject({ enabled: false, updatedAt: 9_000 });
      const won = { epoch: "000000000008600-state", grant: grant("anew"), at: 8_600, refreshGroup: "g" };
      const { fence, version } = instance;
      expect(await table.signIn(instance.id, { fence, version }, won)).toBe(true);
      expect(await read()).toMatchObject({ epoch: won.epoch, updatedAt: 9_000 });
      expect(await table.noteAccount(instance.id, won, { account: { id: "a" } })).toBe(true);
      expect(await table.markDeleting(instance.id, 8_700)).toBe(true);
      expect(await read()).toMatchObject({ deleting: true, deletingSince: 8_700, updatedAt: 9_000 });
    });

    test("are never written to an item that does not exist", async () => {
      expect(await table.update(7, { name: "ghost" }, 1)).toBe(false);
      expect(await table.noteAccount(7, { epoch: instance.epoch }, { account: { id: "a" } })).toBe(false);
      expect(await table.setEnabled(7, true, 1)).toBe(false);
      expect(await table.touch(7, 1)).toBe(false);
      expect(await table.takeLease(7, { version: 1, fence: 1 }, 1)).toBe(false);
      expect(await table.release(7, 1)).toBe(false);
      expect(await table.setDueAt(7, 1, 2)).toBe(false);
      expect(await read(7)).toBeUndefined();
    });

    test("include the last use, which brings an idle grant back to the due index", async () => {
      await table.setDueAt(instance.id, 5_000, undefined);
      expect(await dueIds(shard())).not.toContain(instance.id);
      expect(await table.touch(instance.id, 4_000, 6_000)).toBe(true);
      expect(await read()).toMatchObject({ lastUsedAt: 4_000, dueAt: 6_000 });
      expect(await dueIds(shard())).toContain(instance.id);
    });
  });

  describe("a re-seal", () => {
    test("replaces the bytes of the same version and nothing else; a held lease stays", async () => {
      await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000);
      const before = await read();
      expect(await table.reseal(instance.id, { version: 2, fence: 4 }, grant("resealed"))).toBe(true);
      expect(await read()).toEqual({ ...before, grant: grant("resealed") });

      // The holder of the lease commits as if there had been no re-seal.
      const won = { fence: 4, grant: grant("new"), dueAt: 8_000, refreshedAt: 4_000 };
      expect(await table.commit(instance.id, { version: 2 }, won)).toBe(true);
      expect(await read()).toMatchObject({ version: 4, grant: grant("new") });
    });

    test("is refused when version or fence have changed, and for an instance that does not exist", async () => {
      expect(await table.reseal(instance.id, { version: 1, fence: 3 }, grant("x"))).toBe(false);
      expect(await table.reseal(instance.id, { version: 2, fence: 2 }, grant("x"))).toBe(false);
      expect(await table.reseal(7, { version: 2, fence: 3 }, grant("x"))).toBe(false);
      expect(await read(7)).toBeUndefined();
      expect((await read())?.grant).toEqual(grant("sealed"));
    });

    test("of the configuration is refused when the configuration has changed meanwhile", async () => {
      expect(await table.resealConfiguration(instance.id, grant("c1"), grant("x"))).toBe(false);
      await table.update(instance.id, { sealedConfiguration: grant("c1") }, 1);
      expect(await table.resealConfiguration(instance.id, grant("c0"), grant("x"))).toBe(false);
      expect(await table.resealConfiguration(instance.id, grant("c1"), grant("c1 again"))).toBe(true);
      expect((await read())?.sealedConfiguration).toEqual(grant("c1 again"));
    });
  });

  describe("a secret in plain text", () => {
    const changes = {
      configuration: {},
      secretConfigurationKeys: ["a.token"],
      sealedConfiguration: grant("configuration"),
    };

    test("is sealed where no secret was sealed, unless another process has sealed one meanwhile", async () => {
      expect(await table.sealClear(instance.id, undefined, changes)).toBe(true);
      expect(await read()).toEqual({ ...instance, refreshShard: shard(), ...changes });
      expect(await table.sealClear(instance.id, undefined, changes)).toBe(false);
      expect(await table.sealClear(nextId++, undefined, changes)).toBe(false);
    });

    test("is sealed together with the sealed configuration that was read, which must not have changed", async () => {
      await table.sealClear(instance.id, undefined, changes);
      const next = { ...changes, sealedConfiguration: grant("next") };
      expect(await table.sealClear(instance.id, grant("other"), next)).toBe(false);
      expect(await table.sealClear(instance.id, changes.sealedConfiguration, next)).toBe(true);
      expect((await read())?.sealedConfiguration).toEqual(next.sealedConfiguration);
    });
  });

  describe("an instance token", () => {
    test("is replaced only while it is the newest", async () => {
      const tokenHashes = [{ hash: "h2" }, { hash: "h", until: 9_000 }];
      const seen = { newestToken: "h" };
      expect(await table.update(instance.id, { tokenHashes }, 2_000, { newestToken: "other" })).toBe(false);
      expect(await table.update(instance.id, { tokenHashes }, 2_000, seen)).toBe(true);
      expect(await table.update(instance.id, { tokenHashes: [{ hash: "h3" }] }, 3_000, seen)).toBe(false);
      expect(await read()).toEqual({ ...instance, refreshShard: shard(), tokenHashes, updatedAt: 2_000 });
      await table.markDeleting(instance.id, 4_000);
      expect(await table.update(instance.id, { tokenHashes }, 5_000, { newestToken: "h2" })).toBe(false);
    });
  });

  describe("the mark of a suspended user", () => {
    test("can be set and removed, also during a deletion, and changes nothing else", async () => {
      expect(await table.markSuspended(instance.id, true)).toBe(true);
      expect(await read()).toEqual({ ...instance, refreshShard: shard(), userSuspended: true });
      expect(await table.markSuspended(instance.id, false)).toBe(true);
      expect(await table.markSuspended(instance.id, false)).toBe(true);
      expect(await read()).toEqual({ ...instance, refreshShard: shard() });
      await table.markDeleting(instance.id, 2_000);
      expect(await table.markSuspended(instance.id, true)).toBe(true);
      expect(await table.markSuspended(nextId++, true)).toBe(false);
      expect(await read(nextId - 1)).toBeUndefined();
    });

    test("stays through a refresh, a sign-in and a change", async () => {
      const { id } = instance;
      await table.markSuspended(id, true);
      await table.takeLease(id, { version: 2, fence: 3 }, 99_000);
      await table.commit(id, { version: 2 }, { fence: 4, grant: grant("new"), refreshedAt: 4_000 });
      const won = { epoch: "000000000002000-state", grant: grant("anew"), at: 5_000 };
      expect(await table.signIn(id, { fence: 4, version: 4 }, won)).toBe(true);
      await table.update(id, { name: "Other" }, 6_000);
      expect((await read())?.userSuspended).toBe(true);
    });
  });

  describe("due index", () => {
    test("returns what is due, oldest first, and at most as many items as asked for", async () => {
      const [later, sooner] = [newInstance({ dueAt: 900 }), newInstance({ dueAt: 800 })];
      const ids = await Promise.all(
        [later, sooner].map(async (each) => {
          // Different ids in the same shard.
          const same = { ...each, id: each.id * 4 + 3 };
          await table.create(same);
          return same.id;
        }),
      );
      expect((await dueIds(3, 900)).filter((id) => ids.includes(id))).toEqual([ids[1], ids[0]]);
      expect((await dueIds(3, 899)).filter((id) => ids.includes(id))).toEqual([ids[1]]);
      const first = await opened.due.due(3, 900, 1);
      expect(first.items).toEqual([{ id: ids[1], dueAt: 800, refreshGroup: "group" }]);
      const second = await opened.due.due(3, 900, 1, first.next);
      expect(second.items.map(({ id }) => id)).toEqual([ids[0]]);
    });

    test("moves an item only from the due time that was read", async () => {
      expect(await table.setDueAt(instance.id, 4_999, 6_000)).toBe(false);
      expect(await table.setDueAt(instance.id, 5_000, 6_000)).toBe(true);
      expect(await read()).toMatchObject({ dueAt: 6_000, refreshShard: shard() });
    });
  });

  describe("the time since which a refresh is owed", () => {
    const dueItem = async () =>
      (await opened.due.due(shard(), 10_000, 100)).items.find(({ id }) => id === instance.id);
    const pushTwice = async () => {
      const { setDueAt: push } = opened.due;
      expect(await push(instance.id, 5_000, 6_000)).toBe(true);
      expect(await push(instance.id, 6_000, 7_000)).toBe(true);
      expect(await push(instance.id, 6_000, 8_000)).toBe(false);
    };

    test("is kept from the first due time through the sweep's pushes, and is in the index", async () => {
      expect(await dueItem()).not.toHaveProperty("dueSince");
      await pushTwice();
      expect(await dueItem()).toEqual({
        id: instance.id,
        dueAt: 7_000,
        dueSince: 5_000,
        refreshGroup: "group",
      });
    });

    test("is set by a failed attempt, and kept or removed by the worker's next visit", async () => {
      await pushTwice();
      await table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000);
      await table.release(instance.id, 4, { dueAt: 7_500, dueSince: 9_500, attempts: 1 });
      expect(await read()).toMatchObject({ dueAt: 7_500, dueSince: 9_500 });
      expect(await table.setDueAt(instance.id, 7_500, 7_600, 9_500)).toBe(true);
      expect(await read()).toMatchObject({ dueAt: 7_600, dueSince: 9_500 });
      expect(await table.setDueAt(instance.id, 7_600, 7_700)).toBe(true);
      expect(await read()).not.toHaveProperty("dueSince");
    });

    test("is pushed only for the sign-in that was read, not for another one that is due at the same time", async () => {
      expect(await table.setDueAt(instance.id, 5_000, undefined, undefined, "000000000000999-state")).toBe(
        false,
      );
      expect(await table.setDueAt(instance.id, 5_000, 6_000, undefined, instance.epoch)).toBe(true);
      expect(await read()).toMatchObject({ dueAt: 6_000 });
    });

    test("a sign-in stores that it cannot be refreshed, and the next sign-in removes that", async () => {
      const won = { grant: grant("anew"), dueAt: 9_000, at: 3_000 };
      const first = { ...won, epoch: "000000000002000-state", refreshable: false as const };
      expect(await table.signIn(instance.id, { fence: 3, version: 2 }, first)).toBe(true);
      expect(await read()).toMatchObject({ refreshable: false });
      const second = { ...won, epoch: "000000000003000-state" };
      expect(await table.signIn(instance.id, { fence: 4, version: 4 }, second)).toBe(true);
      expect(await read()).not.toHaveProperty("refreshable");
    });

    test.each<[string, () => Promise<boolean>]>([
      [
        "a refresh",
        () =>
          table.commit(
            instance.id,
            { version: 2 },
            { fence: 3, grant: grant("new"), dueAt: 8_000, refreshedAt: 4_000 },
          ),
      ],
      ["the grant's death", () => table.markDead(instance.id, { version: 2, fence: 3 }, "invalid_grant")],
      [
        "a sign-in",
        () =>
          table.signIn(
            instance.id,
            { fence: 3, version: 2 },
            { epoch: "000000000002000-state", grant: grant("anew"), dueAt: 9_000, at: 3_000 },
          ),
      ],
      ["a delete", () => table.markDeleting(instance.id, 6_000)],
      ["enabling", () => table.setEnabled(instance.id, true, 6_000)],
      ["a use after idle days", () => table.touch(instance.id, 6_000, 6_500)],
      ["leaving the index", () => table.setDueAt(instance.id, 7_000, undefined)],
    ])("is forgotten by %s", async (_, act) => {
      await pushTwice();
      expect(await act()).toBe(true);
      expect(await read()).not.toHaveProperty("dueSince");
    });

    test.each<[string, () => Promise<boolean>]>([
      ["a lease", () => table.takeLease(instance.id, { version: 2, fence: 3 }, 99_000)],
      ["a lease given back by a caller", () => table.release(instance.id, 3, { retryAt: 6_000 })],
      ["a change of the name", () => table.update(instance.id, { name: "Yours" }, 6_000)],
      ["a use", () => table.touch(instance.id, 6_000)],
    ])("is not forgotten by %s", async (_, act) => {
      await pushTwice();
      expect(await act()).toBe(true);
      expect(await read()).toMatchObject({ dueAt: 7_000, dueSince: 5_000 });
    });
  });

  describe("lists", () => {
    test("have pages, newest first, without gap or overlap, with the attributes that a list shows", async () => {
      const organizationId = "org-list";
      const ids: number[] = [];
      for (let at = 1; at <= 5; at++) {
        const each = newInstance({ organizationId, createdAt: at * 1_000_000, name: `n${at}` });
        await table.create(each);
        ids.unshift(each.id);
      }
      const pages = await collect((after) =>
        table.listByOwner(organizationId, "user", { limit: 2, ...(after === undefined ? {} : { after }) }),
      );
      expect(pages.map((items) => items.length)).toEqual([2, 2, 1]);
      expect(pages.flat().map(({ id }) => id)).toEqual(ids);
      expect(pages.flat()[0]).toEqual({
        id: ids[0],
        userId: "user",
        connector: "dropbox",
        name: "n5",
        tags: ["a", "b"],
        createdAt: 5_000_000,
      });
      expect((await table.listByOwner(organizationId, "someone else")).items).toEqual([]);
      expect((await table.getMany([...ids, 1])).map(({ id }) => id)).toEqual(ids);
    });

    test("return more than one batch of full items in the order of the request", async () => {
      const ids: number[] = [];
      for (let index = 0; index < 120; index++) {
        const each = newInstance();
        ids.push(each.id);
        await table.create(each);
      }
      const asked = ids.toReversed();
      expect((await table.getMany(asked)).map(({ id }) => id)).toEqual(asked);
    });
  });
});

async function collect<T>(
  page: (after: string | undefined) => Promise<{ items: readonly T[]; next?: string }>,
): Promise<(readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await page(after);
    if (items.length > 0) pages.push(items);
    after = next;
  } while (after !== undefined);
  return pages;
}
