import { beforeEach, describe, expect, test } from "vitest";
import {
  Conflict,
  InvalidRequest,
  LinkspanError,
  NotFound,
  Unavailable,
} from "../../functions/core/errors.ts";
import { currentAccessToken } from "../../functions/core/grant/refresh/access-token.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { finishDeletion, markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { type FirstExchange, provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { importInstance } from "../../functions/core/grant/sign-in/import-grant.ts";
import { type SignIn, signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import { readInstanceToken } from "../../functions/core/instances/instance-token.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, DAY, granted } from "./calm-world.ts";
import { connector } from "./connector.ts";
import { toldBy } from "./told-by.ts";

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const request: FirstExchange = {
  organizationId: "org",
  userId: "user",
  connector,
  client: { kind: "own", id: "client", secret: "secret" },
  code: "code-1",
  redirectUri: "https://app.example/cb",
  configuration: { "oauth.callback.url": "https://app.example/cb" },
  secretConfiguration: { "app.password": "hunter2" },
  name: "Mine",
  tags: ["a"],
};
const provision = (changes: Partial<FirstExchange> = {}) =>
  world.finish(provisionInstance(world.deps, world.transients, { ...request, ...changes }, world.call));
const failure = async (work: Promise<unknown>): Promise<LinkspanError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LinkspanError);
  return error as LinkspanError;
};
const refused: TokenOutcome = { kind: "invalid_grant", error: "invalid_grant", description: "Code expired." };

describe("a first exchange", () => {
  test("stores the sealed grant before it answers, and only the hash of the token", async () => {
    const { instance, token } = await provision();
    const stored = world.stored(instance.id);
    expect(stored).toMatchObject({
      name: "Mine",
      version: 1,
      fence: 1,
      enabled: true,
      secretConfigurationKeys: ["app.password"],
      plain: { accessToken: "first", obtainedBy: "exchange" },
    });
    expect(stored.dueAt).toBeGreaterThan(world.now);
    expect(readInstanceToken(token)).toEqual({ instanceId: instance.id, hash: stored.tokenHashes[0]?.hash });
    expect(JSON.stringify({ ...stored, grant: 0, plain: 0, sealedConfiguration: 0 })).not.toContain(
      "hunter2",
    );
  });

  test("waits for a slow vendor, because there is no other token to use", async () => {
    world.exchange = () => world.deps.sleep(55_000).then(() => granted("slow"));
    const { instance } = await provision();
    expect(world.stored(instance.id).plain.accessToken).toBe("slow");
  });

  test("never sends a code again after its verifier was used, not even when the earlier request failed", async () => {
    world.exchange = () => {
      throw new Error("the code went out");
    };
    expect(await failure(provision({ repeated: true }))).toBeInstanceOf(Unavailable);
    world.exchange = () => granted("first");
    const { instance } = await provision();
    expect(await failure(provision({ repeated: true }))).toMatchObject({
      code: "code_used",
      detail: { instanceId: instance.id },
    });
  });

  test("with a used code tells only the caller which instance the code created", async () => {
    const { instance } = await provision();
    const mine = await failure(provision());
    expect(mine).toMatchObject({ status: 400, code: "code_used", detail: { instanceId: instance.id } });
    const other = await failure(provision({ userId: "someone else" }));
    expect(other).toMatchObject({ status: 400, code: "code_used" });
    expect(other.detail).not.toHaveProperty("instanceId");
    expect(world.sent).toEqual(["code-1"]);
    expect(world.items.size).toBe(1);
  });

  test("twice at the same time sends the code once and creates one instance", async () => {
    world.exchange = () => world.deps.sleep(5_000).then(() => granted("first"));
    const [one, two] = await Promise.all([
      provision().catch((error: unknown) => error),
      provision().catch((error: unknown) => error),
    ]);
    expect([one, two].filter((each) => each instanceof InvalidRequest)).toHaveLength(1);
    expect(world.sent).toEqual(["code-1"]);
    expect(world.items.size).toBe(1);
  });

  test("continues when the code's reservation succeeded but its answer was lost and the SDK tried again", async () => {
    const { put } = world.transients;
    let puts = 0;
    const transients: typeof world.transients = {
      ...world.transients,
      put: async (item) => {
        puts += 1;
        return (await put(item)) && (await put(item));
      },
    };
    const { instance } = await world.finish(provisionInstance(world.deps, transients, request, world.call));
    expect([puts, world.sent]).toEqual([1, ["code-1"]]);
    expect(world.stored(instance.id).plain.accessToken).toBe("first");
    expect(await failure(provision())).toMatchObject({ code: "code_used" });
  });

  test("that the vendor refuses leaves nothing behind", async () => {
    world.exchange = () => refused;
    expect(await failure(provision())).toMatchObject({
      status: 400,
      code: "invalid_code",
      detail: {
        field: "providerData.code",
        vendor: { error: "invalid_grant", error_description: "Code expired." },
      },
    });
    expect([world.items.size, world.records.size, world.transientItems.size]).toEqual([0, 0, 0]);
  });

  test.each<[TokenOutcome, number, string]>([
    [{ kind: "client_refused", status: 401, error: "invalid_client" }, 400, "invalid_client"],
    [{ kind: "refused", status: 400, error: "invalid_scope" }, 400, "vendor_refused"],
    [{ kind: "refused", status: 429, error: "slow_down", retryAfterMs: 7_000 }, 429, "vendor_rate_limited"],
    [{ kind: "refused", status: 503, error: "down", retryAfterMs: 7_000 }, 503, "vendor_unavailable"],
    [{ kind: "never_sent", reason: "no route" }, 503, "vendor_unreachable"],
    [{ kind: "unknown", reason: "HTML" }, 502, "vendor_unreachable"],
  ])("answered with %j is %i %s", async (outcome, status, code) => {
    world.exchange = () => outcome;
    expect(await failure(provision())).toMatchObject({ status, code });
    expect(world.items.size).toBe(0);
  });

  test("while the table is down is stored in the rescue bucket, and becomes an instance later, once", async () => {
    world.exchange = () => {
      world.tableFails = true;
      return granted("first");
    };
    const { instance, token } = await provision();
    expect(token).toMatch(/^lsi_/);
    const key = `rescue/${instance.id}/new`;
    expect([...world.records.keys()]).toEqual([key]);
    world.tableFails = false;
    expect(await failure(provision())).toMatchObject({ detail: { instanceId: instance.id } });
    world.connector = { ...connector, account: toldBy(async () => ({ id: "person" })) };
    await settleRescueRecord(world.deps, key, world.call);
    await Promise.all(world.after);
    expect(world.stored(instance.id).account).toEqual({ id: "person" });
    expect(world.stored(instance.id).plain.accessToken).toBe("first");
    expect(world.records.size).toBe(0);
  });

  test("does not begin with too little time to store its grant", async () => {
    world.remaining = 99_000;
    expect(await failure(provision())).toBeInstanceOf(Unavailable);
    expect(world.sent).toEqual([]);
  });

  test("stores the account after the write, or none when the vendor does not name it", async () => {
    const account = { id: "dbid:1", email: "a@example.com" };
    const { instance } = await provision({
      connector: { ...connector, account: toldBy(async () => account) },
    });
    await Promise.all(world.after);
    expect(world.stored(instance.id).account).toEqual(account);
    const silent = { ...connector, account: toldBy(() => Promise.reject(new Error("503"))) };
    const second = await provision({ connector: silent, code: "code-2" });
    await Promise.all(world.after);
    expect(world.stored(second.instance.id)).not.toHaveProperty("account");
  });
});

describe("a rescue record of a first exchange that was settled before", () => {
  test("does not create a deleted instance again", async () => {
    world.exchange = () => {
      world.tableFails = true;
      return granted("first");
    };
    const { instance } = await provision();
    const key = `rescue/${instance.id}/new`;
    const record = world.records.get(key);
    world.tableFails = false;
    // The message is delivered twice: the second reader has read the record when the first is done and the instance is
    // deleted.
    const deps = {
      ...world.deps,
      rescue: { ...world.deps.rescue, read: async () => first.shift() },
    };
    const first = [record, undefined];
    await settleRescueRecord(world.deps, key, world.call);
    await markForDeletion(world.deps, instance.id);
    await finishDeletion(world.deps, instance.id, world.call);
    await settleRescueRecord(deps, key, world.call);
    expect(world.stored(instance.id).deleting).toBe(true);
  });

  test("delays the deletion of its instance until it is settled", async () => {
    world.put();
    world.records.set("rescue/42/new", { kind: "new", instance: world.stored() });
    await markForDeletion(world.deps, 42);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.items.has(42)).toBe(true);
    await settleRescueRecord(world.deps, "rescue/42/new", world.call);
    await finishDeletion(world.deps, 42, world.call);
    expect(world.items.has(42)).toBe(false);
  });
});

describe("an import", () => {
  const imported = (changes = {}) => {
    const { code, redirectUri, ...rest } = request;
    return world.finish(
      importInstance(world.deps, { ...rest, refreshToken: "r-theirs", ...changes }, world.call),
    );
  };

  test("is tested by one refresh at once", async () => {
    const { instance } = await imported();
    expect(world.sent).toEqual(["r-theirs"]);
    expect(world.stored(instance.id).plain).toMatchObject({ accessToken: "new", obtainedBy: "import" });
  });

  test("that the vendor refuses leaves nothing behind", async () => {
    world.answer = () => refused;
    expect(await failure(imported())).toMatchObject({
      status: 400,
      detail: { field: "configuration.oauth.user.refresh_token" },
    });
    expect(world.items.size).toBe(0);
  });

  test("of an access token alone is stored without a request", async () => {
    const { instance } = await imported({ refreshToken: undefined, accessToken: "a-theirs" });
    expect(world.stored(instance.id).plain).toMatchObject({ accessToken: "a-theirs" });
    expect(world.stored(instance.id)).not.toHaveProperty("dueAt");
    expect(world.sent).toEqual([]);
  });
});

describe("a sign-in for an existing instance", () => {
  const signIn = (changes: Partial<SignIn> = {}) => {
    const { secretConfiguration, name, tags, ...rest } = request;
    const sign: SignIn = { ...rest, instanceId: 42, epoch: epochOf(world.now, "state"), ...changes };
    return world.finish(signInAgain(world.deps, world.transients, sign, world.call));
  };

  test("revives a dead grant with the same id, and ends the grant that it replaced", async () => {
    world.put({}, { deadVersion: 1 });
    const instance = await signIn();
    expect(instance).toMatchObject({ id: 42, version: 2, fence: 2 });
    expect(world.stored()).toMatchObject({ version: 2, plain: { accessToken: "first" } });
    expect(world.stored()).not.toHaveProperty("deadVersion");
    expect(world.revoked).toEqual(["old"]);
  });

  test("does not end the old grant when the vendor gave the same refresh token again", async () => {
    world.put({ refreshToken: "r-first" });
    await signIn();
    expect(world.revoked).toEqual([]);
  });

  test("that is written after a later one ends its own grant, and the caller gets an error", async () => {
    world.put({}, { epoch: epochOf(world.now + 1, "later") });
    expect(await failure(signIn())).toBeInstanceOf(Conflict);
    expect(world.revoked).toEqual(["first"]);
    expect(world.stored().plain.accessToken).toBe("old");
  });

  test("for an instance that is deleted meanwhile ends its own grant", async () => {
    world.put();
    world.exchange = () => {
      world.items.delete(42);
      return granted("first");
    };
    expect(await failure(signIn())).toBeInstanceOf(NotFound);
    expect(world.revoked).toEqual(["first"]);
  });

  test("while the table is down is stored in the bucket, and the worker finishes it", async () => {
    world.put();
    world.exchange = () => {
      world.tableFails = true;
      return granted("first");
    };
    await signIn();
    const [key] = [...world.records.keys()];
    expect(key).toMatch(/^rescue\/42\/signin-\d{15}-state$/);
    world.tableFails = false;
    await settleRescueRecord(world.deps, key as string, world.call);
    expect(world.stored()).toMatchObject({ version: 2, plain: { accessToken: "first" } });
    expect(world.revoked).toEqual(["old"]);
    expect(world.records.size).toBe(0);
  });

  test("with another account is refused, unless the caller accepts that", async () => {
    const account = (id: string) => ({ ...connector, account: toldBy(async () => ({ id })) });
    world.put({}, { account: { id: "one" } });
    world.connector = account("two");
    expect(await failure(signIn({ connector: account("two") }))).toMatchObject({ code: "another_account" });
    expect(world.revoked).toEqual(["first"]);
    expect(world.stored().plain.accessToken).toBe("old");
    await signIn({ connector: account("two"), code: "code-2", acceptOtherAccount: true });
    expect(world.stored().plain.accessToken).toBe("first");
  });

  describe("with another account that is accepted", () => {
    const named = (id: string) => ({ ...connector, account: toldBy(async () => ({ id })) });
    const silent = { ...connector, account: toldBy(() => Promise.reject(new Error("503"))) };
    beforeEach(() => {
      world.put({}, { account: { id: "one" } });
    });

    test("shows no account until the new one is stored", async () => {
      world.connector = silent;
      expect(await signIn({ connector: silent, acceptOtherAccount: true })).not.toHaveProperty("account");
      await Promise.all(world.after);
      expect(world.stored()).not.toHaveProperty("account");

      world.connector = named("two");
      const forced = { instanceId: 42, cause: "forced" } as const;
      await world.finish(refreshDue(world.deps, forced, world.call));
      await Promise.all(world.after);
      expect(world.stored()).toMatchObject({ version: 3, account: { id: "two" } });
    });

    test("gets its account from the rescue worker that stores the sign-in", async () => {
      world.connector = named("two");
      world.exchange = () => {
        world.tableFails = true;
        return granted("first");
      };
      await signIn({ connector: world.connector, acceptOtherAccount: true });
      world.tableFails = false;
      const [key = ""] = [...world.records.keys()];
      await settleRescueRecord(world.deps, key, world.call);
      await Promise.all(world.after);
      expect(world.stored()).toMatchObject({ plain: { accessToken: "first" }, account: { id: "two" } });
    });
  });

  describe("whose code is sent again", () => {
    /** The retry has another state and another second, so its epoch differs; it consumes nothing. */
    const retry = () => failure(signIn({ epoch: epochOf(world.now + 5_000, "retry") }));
    const usedFor = (instanceId: number) => ({ status: 400, code: "code_used", detail: { instanceId } });

    test("gets the answer that it succeeded, without advice to rotate a token that stays", async () => {
      world.put();
      await signIn();
      const again = await retry();
      expect(again).toMatchObject(usedFor(42));
      expect(again.message).toContain("signed in");
      expect(again.message).not.toContain("rotate");
      expect(world.sent).toEqual(["code-1"]);
    });

    test("gets that answer also after a refresh of the new grant", async () => {
      world.put();
      world.exchange = () => granted("first", { expiresInMs: 6 * 60_000 });
      await signIn();
      await world.pass(5 * 60_000);
      await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));
      expect(world.stored().plain.accessToken).toBe("new");
      expect(await retry()).toMatchObject(usedFor(42));
    });

    test("gets that answer while the sign-in is in the rescue bucket, and when it is settled", async () => {
      world.put();
      world.exchange = () => {
        world.tableFails = true;
        return granted("first");
      };
      await signIn();
      world.tableFails = false;
      expect(await retry()).toMatchObject(usedFor(42));
      const [key = ""] = [...world.records.keys()];
      await settleRescueRecord(world.deps, key, world.call);
      expect(await retry()).toMatchObject(usedFor(42));
    });

    test.each<[string, () => void]>([
      ["the vendor gave no usable answer", () => (world.exchange = () => ({ kind: "unknown", reason: "" }))],
      [
        "it was another account",
        () => (world.connector = { ...connector, account: toldBy(async () => ({ id: "two" })) }),
      ],
      [
        "a later sign-in won",
        () => {
          world.exchange = () => {
            world.put({}, { epoch: epochOf(world.now + 1_000, "later") });
            return granted("first");
          };
        },
      ],
      [
        "a later sign-in won, and its own grant must still be revoked",
        () => {
          world.revocationFails = true;
          world.exchange = () => {
            world.put({}, { epoch: epochOf(world.now + 1_000, "later") });
            return granted("first");
          };
        },
      ],
    ])("does not get that answer when %s", async (_, arrange) => {
      world.put({}, { account: { id: "one" } });
      arrange();
      await failure(signIn({ connector: world.connector }));
      const again = await retry();
      expect(again).toMatchObject({ status: 400, code: "code_used" });
      expect(again.detail).toEqual({ field: "providerData.code" });
      expect(again.message).toContain("send the user through the authorization URL again");
    });
  });
});

test("a sealed value that is not JSON is never shown", async () => {
  world.put();
  const deps = {
    ...world.deps,
    vault: { ...world.deps.vault, open: async () => "secret-token" },
  };
  const read = await world.read();
  const error = await currentAccessToken(deps, read, world.call).catch((thrown: unknown) => thrown);
  expect(String(error)).not.toContain("secret");
});

describe("a delete", () => {
  const remove = async (id = 42) => {
    expect(await markForDeletion(world.deps, id)).toBe(true);
    await finishDeletion(world.deps, id, world.call);
  };

  test("is handed to the worker, which revokes and removes", async () => {
    world.put();
    await markForDeletion(world.deps, 42);
    expect(world.handedOver).toEqual([{ id: 42, cause: "delete" }]);
    await refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call);
    expect(world.revoked).toEqual(["old"]);
    expect(world.items.size).toBe(0);
    expect(await markForDeletion(world.deps, 42)).toBe(false);
  });

  test("tries a failing revocation again for 7 days, and then reports it as lost", async () => {
    world.put();
    world.revocationFails = true;
    await remove();
    const waits: number[] = [];
    for (let rounds = 0; rounds < 500 && world.items.size > 0; rounds++) {
      const wait = (world.stored().dueAt as number) - world.now;
      waits.push(wait);
      await world.pass(wait);
      await finishDeletion(world.deps, 42, world.call);
    }
    expect(world.items.size).toBe(0);
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(6.9 * DAY);
    expect(waits.length).toBeLessThan(220);
    expect(world.outcomes.at(-1)?.outcome).toBe("lost");
  });

  test("sets its own due time even when the sweep pushed the item during the request, and is not overdue for that", async () => {
    world.put();
    await markForDeletion(world.deps, 42);
    const tokens: typeof world.deps.tokens = {
      ...world.deps.tokens,
      revoke: async () => {
        const { dueAt, ...item } = world.stored();
        world.items.set(42, { ...item, dueAt: world.now + 5 * 60_000, dueSince: dueAt as number });
        return false;
      },
    };
    await finishDeletion({ ...world.deps, tokens }, 42, world.call);
    expect(world.stored().dueAt).toBeLessThan(world.now + 2 * 60_000);
    expect(world.stored()).not.toHaveProperty("dueSince");
  });
});
