import { beforeEach, describe, expect, test } from "vitest";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import { epochOf } from "../../functions/core/grant/epoch.ts";
import { refreshGrant } from "../../functions/core/grant/refresh.ts";
import { RevocationOwed, settleRescueRecord } from "../../functions/core/grant/rescue-worker.ts";
import { signInAgain } from "../../functions/core/grant/sign-in.ts";
import { CalmWorld, connector, DAY, granted } from "./calm-world.ts";

// Grants that no instance lives by any more: replaced, overtaken, unwelcome. Each ends at the vendor, now or later, and never
// with the one that lives.

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const signIn = (name = "state", changes: { connector?: Connector } = {}) =>
  world.finish(
    signInAgain(
      world.parts,
      world.transients,
      {
        instanceId: 42,
        organizationId: "org",
        userId: "user",
        connector,
        client: { kind: "own", id: "client", secret: "secret" },
        code: `code-${name}`,
        redirectUri: "https://app.example/cb",
        configuration: {},
        epoch: epochOf(world.now, name),
        ...changes,
      },
      world.call,
    ),
  );
/** One round of the rescue worker over all that lies in the bucket. */
const settleAll = async (): Promise<void> => {
  for (const key of [...world.records.keys()]) await settleRescueRecord(world.parts, key, world.call);
};
const outcomes = (): string[] => world.outcomes.map(({ outcome }) => outcome);

describe("a grant that a sign-in replaced", () => {
  test("is owed while it cannot be opened, and the caller has its sign-in all the same", async () => {
    world.put();
    world.vaultFails = true;
    expect(await signIn()).toMatchObject({ id: 42, version: 2 });
    expect(world.revoked).toEqual([]);
    await expect(settleAll()).rejects.toThrow("KMS");
    expect(world.records.size).toBe(1);

    world.vaultFails = false;
    await settleAll();
    expect(world.revoked).toEqual(["old"]);
    expect(world.stored()).toMatchObject({ version: 2, plain: { accessToken: "first" } });
    expect(world.records.size).toBe(0);
  });

  test("is owed while it cannot be opened, by a sign-in that another one then overtook, too", async () => {
    world.put();
    const { signIn: write } = world.parts.instances;
    // Written, its answer lost; before it is tried again the next sign-in has come.
    world.parts.instances.signIn = async (...args) => {
      world.parts.instances.signIn = write;
      await write(...args);
      const stored = world.stored();
      world.put(
        { accessToken: "later", refreshToken: "r-later" },
        { epoch: epochOf(world.now + 1, "later"), version: 1, fence: 1 },
      );
      world.vaultFails = true;
      throw new Error(`the answer to version ${stored.version} is lost`);
    };
    await expect(signIn()).rejects.toMatchObject({ code: "sign_in_superseded" });
    world.vaultFails = false;
    await settleAll();
    expect(world.revoked.toSorted()).toEqual(["first", "old"]);
    expect(world.stored().plain.accessToken).toBe("later");
  });

  test("whose seal is broken is given up at once: no later time will open it", async () => {
    const { grant } = world.put();
    world.put({}, { grant, version: 7, fence: 7 });
    await signIn();
    expect(world.records.size).toBe(0);
    expect(outcomes()).not.toContain("lost");
  });
});

describe("a sign-in with another account", () => {
  const asksFor = (id: string): Connector => ({ ...connector, account: async () => ({ id }) });
  beforeEach(() => {
    world.put({}, { account: { id: "one" } });
    world.connector = asksFor("two");
  });

  test("ends its own grant later where the vendor does not take that now", async () => {
    world.revocationFails = true;
    await expect(signIn("x", { connector: world.connector })).rejects.toMatchObject({
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
      account: async () => {
        world.remaining = 900;
        return { id: "two" };
      },
    };
    await expect(signIn("x", { connector: inItsLastSecond })).rejects.toMatchObject({
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
      await signIn();
      return granted("new", { refreshToken: "r-old" });
    };
    await world.finish(refreshGrant(world.parts, await world.read(), { cause: "forced" }, world.call));
    expect(world.stored().plain).toMatchObject({ accessToken: "again", refreshToken: "r-old" });
    expect(world.revoked).toEqual([]);
  });

  test("is spared when its sign-in was overtaken", async () => {
    world.put({}, { epoch: epochOf(world.now + 1, "later") });
    world.exchange = () => granted("again", { refreshToken: "r-old" });
    await expect(signIn()).rejects.toMatchObject({ code: "sign_in_superseded" });
    expect(world.revoked).toEqual([]);
  });

  test("is owed, not ended, while nobody can look", async () => {
    world.put();
    world.exchange = () => granted("again", { refreshToken: "r-old" });
    const { get } = world.parts.instances;
    let reads = 0;
    // The sign-in's own two reads are answered.
    world.parts.instances.get = async (id) => {
      reads += 1;
      if (reads > 2) throw new Error("the table fails");
      return await get(id);
    };
    await signIn();
    expect([world.revoked, world.records.size]).toEqual([[], 1]);
    world.parts.instances.get = get;
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
    await world.parts.rescue.put({
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
