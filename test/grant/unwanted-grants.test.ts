import { beforeEach, describe, expect, test } from "vitest";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { refreshGrant } from "../../functions/core/grant/refresh/refresh.ts";
import { RevocationOwed, settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import { CalmWorld, DAY, granted } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { signIn } from "./signing-in.ts";
import { toldBy } from "./told-by.ts";

// Grants that no instance uses, because a later sign-in won or their account was refused (for replaced grants see
// replaced-grants.test.ts). Each is ended at the vendor, now or later, but never together with the grant that is in use.

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

/** Lets the rescue worker settle every record in the bucket once. */
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

  test("ends its own grant later when the vendor does not accept the revocation now", async () => {
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

  test("is counted as lost when the bucket does not accept its record either", async () => {
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

describe("a grant with the same refresh token as the stored one", () => {
  test("is not revoked when a refresh brought it too late, at a vendor that gives the token to each sign-in", async () => {
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

  test("is not revoked when its sign-in lost against a later one", async () => {
    world.put({}, { epoch: epochOf(world.now + 1, "later") });
    world.exchange = () => granted("again", { refreshToken: "r-old" });
    await expect(signIn(world)).rejects.toMatchObject({ code: "sign_in_superseded" });
    expect(world.revoked).toEqual([]);
  });

  test("waits in the bucket while the stored grant cannot be read", async () => {
    world.put();
    world.exchange = () => granted("again", { refreshToken: "r-old" });
    const { get } = world.deps.instances;
    let reads = 0;
    // Only the two reads of the sign-in itself succeed.
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
  ] as const)(
    "%s is kept for 7 days, so that an operator can look at it, and is then given up",
    async (_, record) => {
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
    },
  );
});
