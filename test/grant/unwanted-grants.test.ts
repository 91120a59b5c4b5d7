import { beforeEach, describe, expect, test } from "vitest";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { refreshGrant } from "../../functions/core/grant/refresh/refresh.ts";
import { RevocationOwed, settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import { CalmWorld, DAY, granted } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { signIn } from "./signing-in.ts";
import { toldBy } from "./told-by.ts";

// Grants that no instance lives by any more: overtaken, unwelcome (those that were replaced: replaced-grants.test.ts). Each ends at the vendor, now or later, and never
// with the one that lives.

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

/** One round of the rescue worker over all that lies in the bucket. */
const settleAll = async (): Promise<void> => {
  for (const key of [...world.records.keys()]) await settleRescueRecord(world.deps, key, world.call);
};
const outcomes = (): string[] => world.outcomes.map(({ outcome }) => outcome);

describe("a sign-in with another account", () => {
  const asksFor = (id: string): Connector => ({ ...connector, account: toldBy(async () => ({ id })) });
  beforeEach(() => {
    world.put({}, { account: { id: "one" } });
    world.connector = asksFor("two");
  });

  test("ends its own grant later where the vendor does not take that now", async () => {
    world.revocationFails = true;
    await expect(signIn(world, "x", { connector: world.connector })).rejects.toMatchObject({
      code: "another_account",
    });
    expect([...world.records.keys()]).toEqual(["rescue/42/signin-000000000000000-x"]);
    await expect(settleAll()).rejects.toThrow(RevocationOwed);

    world.revocationFails = false;
    await settleAll();
    expect(world.revoked).toEqual(["first"]);
    expect(world.stored().plain.accessToken).toBe("old");
  });

  test("is counted as lost where the bucket does not take it either", async () => {
    world.revocationFails = true;
    world.bucketFails = true;
    const inItsLastSecond: Connector = {
      ...connector,
      account: toldBy(async () => {
        world.remaining = 900;
        return { id: "two" };
      }),
    };
    await expect(signIn(world, "x", { connector: inItsLastSecond })).rejects.toMatchObject({
      code: "another_account",
    });
    expect(outcomes()).toEqual(["lost"]);
  });
});

describe("a grant with the token that the instance lives by", () => {
  test("is spared when a refresh brought it too late, at a vendor that gives it to each sign-in", async () => {
    world.put();
    world.exchange = () => granted("again", { refreshToken: "r-old" });
    world.answer = async () => {
      await signIn(world);
      return granted("new", { refreshToken: "r-old" });
    };
    await world.finish(refreshGrant(world.deps, await world.read(), { cause: "forced" }, world.call));
    expect(world.stored().plain).toMatchObject({ accessToken: "again", refreshToken: "r-old" });
    expect(world.revoked).toEqual([]);
  });

  test("is spared when its sign-in was overtaken", async () => {
    world.put({}, { epoch: epochOf(world.now + 1, "later") });
    world.exchange = () => granted("again", { refreshToken: "r-old" });
    await expect(signIn(world)).rejects.toMatchObject({ code: "sign_in_superseded" });
    expect(world.revoked).toEqual([]);
  });

  test("is owed, not ended, while nobody can look", async () => {
    world.put();
    world.exchange = () => granted("again", { refreshToken: "r-old" });
    const { get } = world.deps.instances;
    let reads = 0;
    // The sign-in's own two reads are answered.
    world.deps.instances.get = async (id) => {
      reads += 1;
      if (reads > 2) throw new Error("the table fails");
      return await get(id);
    };
    await signIn(world);
    expect([world.revoked, world.records.size]).toEqual([[], 1]);
    world.deps.instances.get = get;
    await settleAll();
    expect([world.revoked, world.records.size]).toEqual([[], 0]);
  });
});

describe("a record whose seal is broken", () => {
  test.each([
    [
      "of a refresh",
      { kind: "refresh", epoch: "", baseVersion: 9, fence: 9, refreshedAt: 1_700_000_000_000 },
    ],
    ["of a sign-in", { kind: "sign-in", epoch: epochOf(1, "x"), at: 1_700_000_000_000 }],
  ] as const)("%s lies for 7 days for somebody to look at, and is then given up", async (_, record) => {
    const { grant } = world.put();
    await world.deps.rescue.put({
      ...record,
      instanceId: 42,
      organizationId: "org",
      connector: "vendor",
      grant,
    });
    await expect(settleAll()).rejects.toThrow(RevocationOwed);
    await world.pass(7 * DAY);
    await settleAll();
    expect(world.records.size).toBe(0);
    expect(outcomes()).toEqual(["lost"]);
    expect(world.revoked).toEqual([]);
    await Promise.all(world.after);
    expect(world.announced).toMatchObject([{ name: "instance.revocation_failed" }]);
  });
});
