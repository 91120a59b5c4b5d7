import { beforeEach, describe, expect, test } from "vitest";
import { setEnabled } from "../../functions/core/grant/enable.ts";
import { currentAccessToken } from "../../functions/core/grant/refresh/access-token.ts";
import { refreshGrant } from "../../functions/core/grant/refresh/refresh.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { finishDeletion, markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { importInstance } from "../../functions/core/grant/sign-in/import-grant.ts";
import { signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { workOn } from "../../functions/worker/work-on.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const expired = () => ({ obtainedAt: world.now - HOUR, expiresAt: world.now });
const told = (): string[] => world.announced.map(({ name }) => name.replace("instance.", ""));
const ids = (): Set<string> => new Set(world.announced.map(({ id }) => id));
const quietly = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);

const codeExchange = {
  organizationId: "org",
  userId: "user",
  connector,
  client: { kind: "own", id: "client", secret: "secret" },
  code: "code-1",
  redirectUri: "https://app.example/cb",
  configuration: {},
} as const;
const newInstance = { secretConfiguration: {}, name: "Mine", tags: [] };

const provision = () =>
  world.finish(
    provisionInstance(world.deps, world.transients, { ...codeExchange, ...newInstance }, world.call),
  );
const refresh = async () =>
  await world.finish(refreshGrant(world.deps, await world.read(), { cause: "forced" }, world.call));
const signIn = (epoch = epochOf(world.now, "state")) =>
  world.finish(
    signInAgain(world.deps, world.transients, { ...codeExchange, instanceId: 42, epoch }, world.call),
  );
const settle = (key: string) => world.finish(settleRescueRecord(world.deps, key, world.call));

const refused: TokenOutcome = {
  kind: "refused",
  status: 429,
  error: "slow_down",
  description: "Dear customer",
};
const unknown: TokenOutcome = { kind: "unknown", reason: "reset" };
const dead: TokenOutcome = {
  kind: "invalid_grant",
  error: "invalid_grant",
  description: "Expired or revoked.",
};

describe("instance.created", () => {
  test("names the instance, its user and the time, and contains no secret", async () => {
    const { instance } = await provision();
    expect(world.announced).toEqual([
      {
        name: "instance.created",
        id: expect.stringMatching(/^[\w-]{43}$/),
        at: instance.createdAt,
        organizationId: "org",
        userId: "user",
        instanceId: instance.id,
        connector: "vendor",
      },
    ]);
  });

  test("is sent for an import too", async () => {
    const { code, redirectUri, ...rest } = codeExchange;
    await world.finish(
      importInstance(world.deps, { ...rest, ...newInstance, refreshToken: "r-theirs" }, world.call),
    );
    expect(told()).toEqual(["created"]);
  });

  test("is sent once when the instance went through the rescue bucket into the table", async () => {
    world.exchange = () => {
      world.tableFails = true;
      return granted("first");
    };
    const { instance } = await provision();
    expect(told()).toEqual(["created"]);
    world.tableFails = false;
    await settle(`rescue/${instance.id}/new`);
    expect(world.items.has(instance.id)).toBe(true);
    expect(told()).toEqual(["created"]);
  });

  test("is not sent when the vendor refuses, or no store accepts the instance", async () => {
    world.exchange = () => dead;
    await quietly(provision());
    world.exchange = () => {
      world.tableFails = true;
      world.bucketFails = true;
      world.remaining = 0;
      return granted("first");
    };
    await quietly(provision());
    expect(told()).toEqual([]);
  });
});

describe("instance.reauthenticated", () => {
  test("is sent when the sign-in is written", async () => {
    world.put({}, { deadVersion: 1 });
    await signIn();
    expect(told()).toEqual(["reauthenticated"]);
  });

  test("is sent by the worker when the table could not be written at first, each time with the same id", async () => {
    world.put();
    world.exchange = () => {
      world.tableFails = true;
      return granted("first");
    };
    await signIn();
    expect(told()).toEqual([]);
    const [[key, record] = ["", undefined]] = [...world.records];
    world.tableFails = false;
    await settle(key);
    if (record !== undefined) world.records.set(key, record);
    await settle(key);
    expect(told()).toEqual(["reauthenticated", "reauthenticated"]);
    expect(ids().size).toBe(1);
  });

  test("is not sent for a sign-in that lost against a later one", async () => {
    world.put({}, { epoch: epochOf(world.now + 1, "later") });
    await quietly(signIn());
    expect(told()).toEqual([]);
  });
});

describe("instance.needs_reauth", () => {
  beforeEach(() => {
    world.put(expired());
    world.answer = () => dead;
  });

  test("is sent once, with a code and the vendor's words, however many callers there are", async () => {
    const reads = await Promise.all(Array.from({ length: 10 }, () => world.read()));
    await world.finish(
      Promise.allSettled(reads.map((read) => currentAccessToken(world.deps, read, world.call))),
    );
    await quietly(world.finish(currentAccessToken(world.deps, await world.read(), world.call)));
    expect(told()).toEqual(["needs_reauth"]);
    expect(world.announced[0]).toMatchObject({
      reason: "invalid_grant",
      error: "invalid_grant",
      errorDescription: "Expired or revoked.",
    });
  });

  test("is not sent when a new sign-in was written before the vendor's answer", async () => {
    world.answer = async () => {
      world.put({}, { version: 7, fence: 7 });
      return dead;
    };
    await refresh();
    expect(told()).toEqual([]);
  });

  test("is not sent while the table cannot be written", async () => {
    world.answer = () => {
      world.tableFails = true;
      return dead;
    };
    await refresh();
    expect(told()).toEqual([]);
  });
});

describe("instance.refresh_failed", () => {
  beforeEach(() => {
    world.put(expired());
  });

  test("is sent once for a series of failures, and one recovery at its end", async () => {
    world.answer = () => refused;
    for (let attempt = 0; attempt < 4; attempt++) {
      await refresh();
      await world.pass(20 * 60_000);
    }
    expect(told()).toEqual(["refresh_failed"]);
    expect(world.announced[0]).toMatchObject({ reason: "vendor_refused_429" });
    world.answer = () => granted("new");
    await refresh();
    await refresh();
    expect(told()).toEqual(["refresh_failed", "refresh_recovered"]);
  });

  test("is sent again, with another id, for the next series", async () => {
    for (const answer of [refused, granted("one"), refused, granted("two")]) {
      world.answer = () => answer;
      await refresh();
    }
    expect(told()).toEqual(["refresh_failed", "refresh_recovered", "refresh_failed", "refresh_recovered"]);
    expect(ids().size).toBe(4);
  });

  test("is sent once when no attempt of the series is known to have ended, and each leaves only its lease", async () => {
    world.answer = () => unknown;
    for (let attempt = 0; attempt < 3; attempt++) {
      await refresh();
      await world.pass(102_000);
    }
    expect(world.sent).toHaveLength(3);
    expect(told()).toEqual(["refresh_failed"]);
    expect(world.announced[0]).toMatchObject({ reason: "vendor_unreachable" });
    world.answer = () => granted("new");
    await refresh();
    expect(told()).toEqual(["refresh_failed", "refresh_recovered"]);
  });

  test("has the same id when a counted failure follows an attempt whose end is unknown", async () => {
    world.answer = () => unknown;
    await refresh();
    await world.pass(102_000);
    world.answer = () => refused;
    await refresh();
    expect(told()).toEqual(["refresh_failed", "refresh_failed"]);
    expect(ids().size).toBe(1);
  });

  test("is not sent when the failure could not be written, or the lease had another holder by then", async () => {
    world.answer = () => {
      world.put({}, { fence: 9 });
      return refused;
    };
    await refresh();
    world.answer = () => {
      world.tableFails = true;
      return refused;
    };
    await refresh();
    expect(told()).toEqual([]);
  });

  test("is not sent for refreshes that succeed, nor for calls with a valid token", async () => {
    await refresh();
    await currentAccessToken(world.deps, await world.read(), world.call);
    expect(told()).toEqual([]);
  });
});

describe("instance.disabled and instance.enabled", () => {
  test("are sent when they change something, each with a different id", async () => {
    world.put();
    for (const enabled of [true, false, false, true, false]) {
      await setEnabled(world.deps, 42, enabled, world.call);
    }
    expect(told()).toEqual(["disabled", "enabled", "disabled"]);
    expect(ids().size).toBe(3);
  });

  test("are not sent for an instance that is deleted between the read and the write", async () => {
    world.put();
    const { get } = world.deps.instances;
    const instances = {
      ...world.deps.instances,
      get: async (id: number) => {
        const read = await get(id);
        world.items.delete(id);
        return read;
      },
    };
    expect(await setEnabled({ ...world.deps, instances }, 42, false, world.call)).toBeUndefined();
    expect(told()).toEqual([]);
  });
});

describe("instance.deleted", () => {
  const finish = () => finishDeletion(world.deps, 42, world.call);

  test("is sent when the item is deleted, not when it is marked", async () => {
    world.put();
    await markForDeletion(world.deps, 42);
    expect(told()).toEqual([]);
    await finish();
    await finish();
    expect(told()).toEqual(["deleted"]);
  });

  test("is sent after 7 days together with revocation_failed when the revocation keeps failing", async () => {
    world.put();
    world.revocationFails = true;
    await markForDeletion(world.deps, 42);
    await finish();
    expect(told()).toEqual([]);
    await world.pass(7 * DAY + 1_000);
    await finish();
    expect(told()).toEqual(["revocation_failed", "deleted"]);
  });

  test("is not sent when another worker has deleted the item", async () => {
    world.put({}, { deleting: true });
    const instances = { ...world.deps.instances, remove: async () => false };
    await finishDeletion({ ...world.deps, instances }, 42, world.call);
    expect(told()).toEqual([]);
  });
});

test("revocation_failed is sent for a rescue record's revocation that is given up, with the user while the instance exists", async () => {
  for (const stays of [true, false]) {
    world.put(expired());
    world.answer = () => {
      if (stays) world.put({}, { epoch: epochOf(world.now, "later"), version: 5, fence: 5 });
      else world.items.delete(42);
      return granted("orphan");
    };
    world.revocationFails = true;
    await refresh();
    await quietly(settle("rescue/42/2"));
    expect(told()).toEqual([]);
    world.now += 7 * DAY + 1_000;
    await settle("rescue/42/2");
    expect(world.announced.splice(0)).toMatchObject([
      { name: "instance.revocation_failed", instanceId: 42, ...(stays ? { userId: "user" } : {}) },
    ]);
  }
});

describe("an event", () => {
  test("neither delays nor fails the action that it reports", async () => {
    world.put();
    const never = { ...world.deps, announce: () => new Promise<void>(() => {}) };
    expect(await setEnabled(never, 42, false, world.call)).toMatchObject({ enabled: false });
    expect(world.after).toHaveLength(1);
  });

  test("of a late refresh is sent before the worker ends", async () => {
    world.put(expired(), { dueAt: world.now });
    // The message's time is over before the vendor answers; the event must still leave the process.
    world.answer = () => world.deps.sleep(140_000).then(() => refused);
    const sent: string[] = [];
    const deps = {
      ...world.deps,
      announce: async ({ name }: { name: string }) => {
        await world.deps.sleep(1_000);
        sent.push(name);
      },
    };
    const message = { messageId: "a", body: '{"kind":"refresh","instanceId":42,"cause":"schedule"}' };
    await world.finish(workOn(deps, [message], () => 300_000));
    expect(sent).toEqual(["instance.refresh_failed"]);
  });

  test("that the bus does not accept is sent again, alone", async () => {
    const { instance } = await provision();
    const [event] = world.announced;
    const messages = [
      { messageId: "event", body: JSON.stringify({ kind: "event", event }) },
      {
        messageId: "refresh",
        body: JSON.stringify({ kind: "refresh", instanceId: instance.id, cause: "schedule" }),
      },
    ];
    world.busFails = true;
    const first = await world.finish(workOn(world.deps, messages, () => 300_000));
    expect(first.batchItemFailures).toEqual([{ itemIdentifier: "event" }]);
    world.busFails = false;
    const second = await world.finish(workOn(world.deps, messages.slice(0, 1), () => 300_000));
    expect(second.batchItemFailures).toEqual([]);
    expect(world.published).toEqual([event]);
  });
});
