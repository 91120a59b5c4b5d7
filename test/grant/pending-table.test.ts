import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readRecord, writeRecord } from "../../functions/aws/rescue/record.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import type { PendingSignIn } from "../../functions/core/instances/pending-sign-in.ts";
import { type OpenTables, tables } from "./open-instance-table.ts";

describe.each(tables)("pending sign-ins %s", (_name, open) => {
  let opened: OpenTables;
  let instances: OpenTables["instances"];
  let pendings: OpenTables["pendings"];
  let due: OpenTables["due"];
  let nextId = 1000;
  let pending: PendingSignIn;

  beforeAll(async () => {
    opened = await open();
    ({ instances, pendings, due } = opened);
  });
  afterAll(() => opened.close());

  beforeEach(async () => {
    const id = nextId++;
    pending = {
      instanceId: id,
      sessionId: "cs_some-session_id",
      epoch: "000000000002000-state_hash-1",
      organizationId: `org-${id}`,
      userId: "user",
      connector: "googledrive",
      grant: new TextEncoder().encode("sealed"),
      at: 2_000,
      endsAt: 9_000,
      refreshGroup: "group",
      consentKey: `consent-${id}`,
    };
    expect(await pendings.put(pending)).toBe(true);
  });

  const read = async () => (await pendings.get(pending)).value;

  /** The instance for which the user signs in. */
  const instance = (): Instance => ({
    id: pending.instanceId,
    organizationId: pending.organizationId,
    userId: "user",
    connector: "googledrive",
    name: "Mine",
    tags: [],
    createdAt: 1_000,
    updatedAt: 1_000,
    configuration: {},
    secretConfigurationKeys: [],
    tokenHashes: [{ hash: "h" }],
    fence: 1,
    version: 1,
    epoch: "000000000001000-state",
    grant: new Uint8Array([1]),
    enabled: true,
    dueAt: 9_000,
    refreshGroup: "group",
    consentKey: `consent-${pending.instanceId}`,
  });

  describe("a pending sign-in", () => {
    test("is returned as it was put, due at its end, and can be put once", async () => {
      expect(await read()).toEqual({ ...pending, dueAt: 9_000 });
      expect(await pendings.put(pending)).toBe(false);
    });

    test("is not an instance: it is not found by the id and is in no list", async () => {
      const { instanceId: id, organizationId } = pending;
      expect((await instances.get(id)).value).toBeUndefined();
      expect((await instances.listByOwner(organizationId, "user")).items).toEqual([]);
      expect((await instances.listByOrganization(organizationId)).items).toEqual([]);
      expect(await instances.getMany([id])).toEqual([]);
      // An older version pushes a due entry by its id alone, which changes nothing here.
      expect(await instances.setDueAt(id, 9_000, 10_000)).toBe(false);
      expect(await due.setDueAt(id, 9_000, 10_000)).toBe(false);
      expect(await read()).toMatchObject({ dueAt: 9_000 });
    });

    test("is stored beside the instance, and beside others of the same instance", async () => {
      expect(await instances.create(instance())).toBe(true);
      const other = { ...pending, sessionId: "cs_other" };
      expect(await pendings.put(other)).toBe(true);
      expect(
        (await pendings.ofInstance(pending.instanceId)).map(({ sessionId }) => sessionId).sort(),
      ).toEqual(["cs_other", "cs_some-session_id"]);
      await pendings.remove(other);
      expect((await instances.get(pending.instanceId)).value).toBeDefined();
      expect(await read()).toBeDefined();
    });

    test("has its own due entry, which the sweep pushes without changing that of the instance", async () => {
      await instances.create(instance());
      const shard = pending.instanceId % 4;
      const mine = async () =>
        (await due.due(shard, 9_000, 100)).items.filter(({ id }) => id === pending.instanceId);
      const { sessionId, epoch } = pending;
      expect(await mine()).toHaveLength(2);
      expect(await mine()).toContainEqual({
        id: pending.instanceId,
        dueAt: 9_000,
        refreshGroup: "group",
        pending: { sessionId, epoch },
      });
      expect(await due.setPendingDueAt(pending, 8_000, 20_000)).toBe(false);
      expect(await due.setPendingDueAt(pending, 9_000, 20_000)).toBe(true);
      expect(await read()).toMatchObject({ dueAt: 20_000, dueSince: 9_000 });
      expect((await instances.get(pending.instanceId)).value?.dueAt).toBe(9_000);
      expect(await pendings.setDueAt(pending, 30_000)).toBe(true);
      expect(await read()).toMatchObject({ dueAt: 30_000 });
      expect(await read()).not.toHaveProperty("dueSince");
    });

    test("is listed for the operator by its organization", async () => {
      const { instanceId, sessionId, epoch } = pending;
      await pendings.markEnding(pending, 3_000);
      expect(await pendings.listPendings(pending.organizationId)).toEqual({
        items: [{ instanceId, sessionId, epoch }],
      });
      expect((await pendings.listPendings("org-else")).items).toEqual([]);
    });

    test("is a sibling of all others of its consent until it ends", async () => {
      const key = `consent-${pending.instanceId}`;
      // It is no sibling when its own instance is deleted, because it ends too. When it ends itself, the instance is a
      // sibling.
      expect(await instances.hasSibling(pending.instanceId, key)).toBe(false);
      expect(await instances.hasSibling(pending.instanceId, key, undefined, pending)).toBe(false);
      expect(await instances.hasSibling(1, key)).toBe(true);
      await instances.create(instance());
      expect(await instances.hasSibling(pending.instanceId, key, undefined, pending)).toBe(true);
      await instances.markDeleting(pending.instanceId, 3_000);
      expect(await instances.hasSibling(1, key)).toBe(true);
      await pendings.markEnding(pending, 3_000);
      expect(await instances.hasSibling(1, key)).toBe(false);
    });

    test("does not hide a sibling, even when one instance has more than a page of them", async () => {
      for (let n = 0; n < 12; n++) await pendings.put({ ...pending, sessionId: `cs_${n}` });
      const key = `consent-${pending.instanceId}`;
      expect(await instances.hasSibling(pending.instanceId, key)).toBe(false);
      await pendings.put({ ...pending, instanceId: nextId++ });
      expect(await instances.hasSibling(pending.instanceId, key)).toBe(true);
    });
  });

  describe("a claim or an end", () => {
    const claim = { at: 3_000, dueAt: 4_000 };

    test("a claimed sign-in does not end, except when its write is lost", async () => {
      expect(await pendings.markClaimed(pending, { ...claim, account: { id: "a" } })).toBe(true);
      expect(await pendings.markClaimed(pending, { at: 5_000, dueAt: 6_000 })).toBe(true);
      expect(await read()).toMatchObject({ claimedAt: 3_000, dueAt: 6_000, account: { id: "a" } });
      expect(await pendings.markEnding(pending, 5_000)).toBe(false);
      expect(await pendings.markEnding(pending, 5_000, true)).toBe(true);
      expect(await read()).toMatchObject({ claimedAt: 3_000, endingSince: 5_000, dueAt: 5_000 });
    });

    test("an ending sign-in cannot be claimed, and the time of its first end counts", async () => {
      expect(await pendings.markEnding(pending, 3_000)).toBe(true);
      expect(await pendings.markClaimed(pending, claim)).toBe(false);
      expect(await pendings.noteAccount(pending, { account: { id: "a" } })).toBe(false);
      expect(await pendings.markEnding(pending, 4_000)).toBe(true);
      expect(await read()).toMatchObject({ endingSince: 3_000, dueAt: 4_000 });
    });

    test("no write creates a removed item again", async () => {
      await pendings.remove(pending);
      expect(await pendings.markClaimed(pending, claim)).toBe(false);
      expect(await pendings.markEnding(pending, 3_000, true)).toBe(false);
      expect(await pendings.noteAccount(pending, { account: { id: "a" } })).toBe(false);
      expect(await pendings.setDueAt(pending, 3_000)).toBe(false);
      expect(await due.setPendingDueAt(pending, 9_000, 10_000)).toBe(false);
      expect(await read()).toBeUndefined();
    });
  });

  test("a pending sign-in's rescue record can be read, but not by an older version, which would delete it", () => {
    const text = writeRecord({ kind: "pending", pending });
    expect(readRecord(text)).toEqual({ kind: "pending", pending });
    // Older versions read records in this way.
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });
});
