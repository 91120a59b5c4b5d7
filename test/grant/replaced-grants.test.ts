import { beforeEach, describe, expect, test } from "vitest";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { markRestored } from "../../functions/core/grant/operator/mark-restored.ts";
import { refreshGrant } from "../../functions/core/grant/refresh/refresh.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { finishDeletion, markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { signIn } from "./signing-in.ts";

// A sign-in keeps the grant that it replaced beside the new one until the vendor has ended it, so that another process can
// end the grant when this one dies.

const SOON = 5 * 60_000;

let world: CalmWorld;
let revoke: CalmWorld["deps"]["tokens"]["revoke"];
beforeEach(() => {
  world = new CalmWorld();
  ({ revoke } = world.deps.tokens);
});

/** Signs in with a process that is killed before the vendor hears of the old grant. */
async function killedSignIn(name = "state"): Promise<void> {
  const reached = new Promise<void>((resolve) => {
    Object.assign(world.deps.tokens, {
      revoke: () => {
        resolve();
        return new Promise(() => {});
      },
    });
  });
  void signIn(world, name).catch(() => {});
  await reached;
  Object.assign(world.deps.tokens, { revoke });
}

const work = async (cause: "schedule" | "forced" = "schedule"): Promise<void> => {
  await world.finish(refreshDue(world.deps, { instanceId: 42, cause }, world.call));
  await Promise.all(world.after);
};
const versions = ({ replacedGrants }: Instance = world.stored()) =>
  replacedGrants?.map(({ version }) => version);
const settleAll = async (): Promise<void> => {
  for (const key of [...world.records.keys()]) await settleRescueRecord(world.deps, key, world.call);
};
const outcomes = (): string[] => world.outcomes.map(({ outcome }) => outcome);

describe("a sign-in", () => {
  test("leaves no replaced grant on the item, and the new token's due time, when the old grant has ended", async () => {
    world.put();
    const at = world.now;
    const answered = await signIn(world);
    expect(world.revoked).toEqual(["old"]);
    expect(world.stored()).not.toHaveProperty("replacedGrants");
    expect(world.stored().dueAt).toBeGreaterThan(at + HOUR / 2);
    expect(answered).not.toHaveProperty("replacedGrants");
    expect(answered.dueAt).toBe(world.stored().dueAt);
  });

  test("is taken off the due index again when its token has no schedule", async () => {
    world.put();
    world.exchange = () => granted("first", { expiresInMs: undefined });
    expect(await signIn(world)).not.toHaveProperty("dueAt");
    expect(world.stored()).not.toHaveProperty("dueAt");
  });

  test("keeps no replaced grant when the vendor does not revoke single tokens", async () => {
    const { revocation, ...oauth2 } = connector.oauth2;
    const silent: Connector = { ...connector, oauth2 };
    world.connector = silent;
    world.put();
    await signIn(world, "state", { connector: silent });
    expect(world.tableCalls).not.toContain("forgetReplaced");
    expect(world.stored()).not.toHaveProperty("replacedGrants");
  });

  test("succeeds when the old grant cannot be opened; a worker ends that grant later", async () => {
    world.put();
    world.vaultFails = true;
    expect(await signIn(world)).toMatchObject({ id: 42, version: 2 });
    expect([world.revoked, world.records.size, versions()]).toEqual([[], 0, [1]]);

    world.vaultFails = false;
    await work();
    expect(world.revoked).toEqual(["old"]);
    expect(versions()).toBeUndefined();
    expect(world.stored().plain.accessToken).toBe("first");
  });

  test("succeeds when neither vendor nor bucket accepts the old grant, which is not given up", async () => {
    world.put();
    world.revocationFails = true;
    world.bucketFails = true;
    await signIn(world);
    expect([outcomes(), versions()]).toEqual([[], [1]]);

    world.bucketFails = false;
    await work();
    expect([world.records.size, versions()]).toEqual([1, undefined]);
    world.revocationFails = false;
    await settleAll();
    expect(world.revoked).toEqual(["old"]);
  });

  test("whose write had no answer: the process that finds it written ends the old grant", async () => {
    world.put();
    const { signIn: write } = world.deps.instances;
    Object.assign(world.deps.instances, {
      signIn: async (...args: Parameters<typeof write>) => {
        await write(...args);
        world.tableFails = true;
        throw new Error("the answer is lost");
      },
    });
    await signIn(world);
    expect([...world.records.keys()]).toHaveLength(1);
    world.tableFails = false;
    await settleAll();
    expect(world.revoked).toEqual(["old"]);
    expect([world.records.size, versions()]).toEqual([0, undefined]);
  });

  test("does not keep an old grant that no key can open", async () => {
    const { grant } = world.put();
    world.put({}, { grant, version: 7, fence: 7 });
    await signIn(world);
    expect([world.records.size, versions(), outcomes()]).toEqual([0, undefined, []]);
  });
});

describe("a process that is killed between its sign-in and the old grant's end", () => {
  test.each<[string, number | undefined]>([
    ["an hour", HOUR],
    ["a minute, too short for a schedule", 60_000],
    ["unknown", undefined],
  ])(
    "leaves that to a worker minutes later, whatever the new token's lifetime: %s",
    async (_, expiresInMs) => {
      world.put();
      world.exchange = () => granted("first", { expiresInMs });
      const at = world.now;
      await killedSignIn();
      expect([world.revoked, versions()]).toEqual([[], [1]]);
      expect(world.stored().dueAt).toBeLessThanOrEqual(at + SOON + 2_000);

      await work();
      expect(world.revoked).toEqual(["old"]);
      expect(versions()).toBeUndefined();
      // The next visit finds only the regular schedule.
      await work();
      expect(world.revoked).toEqual(["old"]);
      expect((world.stored().dueAt ?? Number.POSITIVE_INFINITY) > at + SOON + 2_000).toBe(true);
    },
  );

  test("leaves that to the next sign-in", async () => {
    world.put();
    await killedSignIn("one");
    await world.pass(2_000);
    world.exchange = () => granted("second");
    await signIn(world, "two");
    expect(world.revoked).toEqual(["old", "first"]);
    expect(versions()).toBeUndefined();
  });

  test("leaves that to the worker that deletes", async () => {
    world.put();
    await killedSignIn();
    await markForDeletion(world.deps, 42);
    world.revocationFails = true;
    await finishDeletion(world.deps, 42, world.call);
    expect(world.items.has(42)).toBe(true);
    world.revocationFails = false;
    await finishDeletion(world.deps, 42, world.call);
    expect(world.revoked).toEqual(["first", "old"]);
    expect(world.items.has(42)).toBe(false);
  });

  test("leaves each grant to the deleting worker: a grant whose client is missing does not stop the other", async () => {
    world.put({ client: { kind: "own", id: "gone", secret: "s" } });
    await killedSignIn();
    const { resolve } = world.deps.clients;
    Object.assign(world.deps.clients, {
      resolve: async (...args: Parameters<typeof resolve>) => {
        if (args[2].kind === "own" && args[2].id === "gone") throw new Error("no such app");
        return await resolve(...args);
      },
    });
    const { grant, version, replacedGrants = [] } = world.stored();
    const [old] = replacedGrants;
    // Now the stored grant is the one whose client is missing.
    world.items.set(42, {
      ...world.stored(),
      grant: old?.grant ?? grant,
      version: old?.version ?? version,
      replacedGrants: [{ version, grant, at: world.now }],
    });
    await markForDeletion(world.deps, 42);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.revoked).toEqual(["first"]);
    expect(world.items.has(42)).toBe(true);
  });

  test("leaves that to a worker though a refresh, a death or a restore changed the due time", async () => {
    world.put();
    await killedSignIn();
    const soon = () => {
      expect(versions()).toEqual([1]);
      expect(world.stored().dueAt).toBeLessThanOrEqual(world.now + SOON + 2_000);
    };
    soon();
    await world.finish(refreshGrant(world.deps, await world.read(), { cause: "forced" }, world.call));
    expect(world.stored().plain.accessToken).toBe("new");
    soon();
    const alive = world.items.get(42) as Instance;
    expect(await markRestored(world.deps, alive, world.now)).toBe("marked");
    soon();
    world.items.set(42, alive);
    world.answer = () => ({ kind: "invalid_grant", error: "invalid_grant" });
    await world.finish(refreshGrant(world.deps, await world.read(), { cause: "forced" }, world.call));
    expect(world.stored().deadVersion).toBe(3);
    soon();

    // Dead and disabled, so nothing else brings a worker.
    world.items.set(42, { ...world.stored(), enabled: false });
    world.vaultFails = true;
    await work();
    soon();
    world.vaultFails = false;
    await work();
    expect(world.revoked).toEqual(["old"]);
    await work();
    // What remains is to delete the dead grant's tokens in 30 days.
    expect(world.stored().dueAt).toBe((world.stored().death?.at ?? 0) + 30 * DAY);
  });

  test("loses nothing by a write that is refused", async () => {
    world.put();
    for (let each = 0; each < 8; each++) {
      await world.pass(2_000);
      await killedSignIn(`state-${each}`);
    }
    const { signIn: write } = world.deps.instances;
    let refusals = 2;
    Object.assign(world.deps.instances, {
      signIn: async (...args: Parameters<typeof write>) => (refusals-- > 0 ? false : await write(...args)),
    });
    await world.pass(2_000);
    await signIn(world, "last");
    expect(outcomes()).toEqual(["lost"]);
  });

  test("loses the oldest grants when many crashes leave more than the item keeps", async () => {
    world.put();
    for (let each = 0; each < 9; each++) {
      world.exchange = () => granted(`g${each}`);
      await world.pass(2_000);
      await killedSignIn(`state-${each}`);
    }
    expect(versions()).toHaveLength(8);
    expect(outcomes()).toEqual(["lost"]);
    await work();
    expect(world.revoked).toEqual(["g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"]);
  });
});

test("a revocation is tried for 7 days from the time when the grant was replaced, whatever the grant's age", async () => {
  world.put({ obtainedAt: world.now - 30 * DAY });
  await killedSignIn();
  await world.pass(SOON);
  world.revocationFails = true;
  await work();
  await world.pass(7 * DAY - SOON - 60_000);
  await expect(settleAll()).rejects.toThrow("not taken yet");
  await world.pass(2 * 60_000);
  await settleAll();
  expect(outcomes()).toContain("lost");
});
