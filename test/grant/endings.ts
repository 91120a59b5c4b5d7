import type { GrantOutcome } from "../../functions/core/grant/grant-deps.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { finishDeletion, markForDeletion } from "../../functions/core/grant/revocation/delete-instance.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import { CalmWorld, DAY, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

/**
 * Leads a world, with an instance 42 that is due, to one way a grant's work can end. The test checks which events the core
 * sends.
 */
type Way = (world: CalmWorld) => Promise<unknown>;

const refresh: Way = (world) =>
  world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));

const refreshAnswered =
  (answer: CalmWorld["answer"]): Way =>
  (world) => {
    world.answer = answer;
    return refresh(world);
  };

/** No store accepts the vendor's new grant, and the function ends. */
const storesFail = (world: CalmWorld) => {
  world.tableFails = true;
  world.bucketFails = true;
  world.remaining = 0;
  return granted("lost");
};

const exchange = {
  organizationId: "org",
  userId: "user",
  connector,
  client: { kind: "own", id: "client", secret: "secret" },
  code: "code",
  redirectUri: "https://app.example/cb",
  configuration: {},
} as const;

/** A delete whose revocation the vendor refuses for this long. */
const deletion =
  (failingForMs: number): Way =>
  async (world) => {
    await markForDeletion(world.deps, 42);
    world.revocationFails = failingForMs > 0;
    await world.pass(failingForMs);
    await finishDeletion(world.deps, 42, world.call);
  };

const ways: Readonly<Record<GrantOutcome["outcome"], Readonly<Record<string, Way>>>> = {
  refreshed: { "a refresh that is due": refresh },
  reused: {
    "a message that comes twice": async (world) => {
      await refresh(world);
      await refresh(world);
    },
  },
  waited: {
    "a lease that another process holds": (world) => {
      world.items.set(42, { ...world.stored(), until: world.now + 60_000 });
      return refresh(world);
    },
  },
  unreachable: {
    "no answer": refreshAnswered(() => ({ kind: "unknown", reason: "reset" })),
    "a vendor that cannot be reached": refreshAnswered(() => ({ kind: "never_sent", reason: "no route" })),
  },
  refused: {
    "a vendor that limits our calls": refreshAnswered(() => ({
      kind: "refused",
      status: 429,
      error: "slow",
    })),
  },
  client_refused: {
    "a client that the vendor refuses": refreshAnswered(() => ({
      kind: "client_refused",
      status: 401,
      error: "invalid_client",
    })),
    "a client that is paused": (world) => {
      const pauses = {
        check: async () => ({ kind: "until", until: world.now + HOUR }) as const,
        pause: async () => {},
        giveBack: async () => {},
        resume: async () => {},
      };
      const deps = { ...world.deps, pauses };
      return refreshDue(deps, { instanceId: 42, cause: "schedule" }, world.call);
    },
  },
  needs_reauth: {
    "a grant that the vendor has ended": refreshAnswered(() => ({
      kind: "invalid_grant",
      error: "invalid_grant",
    })),
  },
  revived: {
    "a dead grant that its vendor accepts again": async (world) => {
      await ways.needs_reauth["a grant that the vendor has ended"]?.(world);
      world.answer = () => granted("again");
      await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "revive" }, world.call));
    },
  },
  still_dead: {
    "a dead grant that its vendor refuses once more": async (world) => {
      await ways.needs_reauth["a grant that the vendor has ended"]?.(world);
      await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "revive" }, world.call));
    },
  },
  rescued: {
    "a grant that came while the table was down": async (world) => {
      world.answer = () => {
        world.tableFails = true;
        return granted("rescued");
      };
      await refresh(world);
      world.tableFails = false;
      await settleRescueRecord(world.deps, "rescue/42/2", world.call);
    },
  },
  revoked: {
    "a delete": deletion(0),
    "a refresh that a delete overtakes": (world) => {
      world.answer = () => {
        world.items.delete(42);
        return granted("orphan");
      };
      return refresh(world);
    },
  },
  lost: {
    "a refresh that no store accepts": (world) => {
      world.answer = () => storesFail(world);
      return refresh(world);
    },
    "a first exchange that no store accepts": (world) => {
      world.exchange = () => storesFail(world);
      const request = { ...exchange, name: "Mine", tags: [], secretConfiguration: {} };
      return world
        .finish(provisionInstance(world.deps, world.transients, request, world.call))
        .catch(() => {});
    },
    "a sign-in that no store accepts": (world) => {
      world.exchange = () => storesFail(world);
      const request = { ...exchange, instanceId: 42, epoch: epochOf(world.now, "state") };
      return world.finish(signInAgain(world.deps, world.transients, request, world.call)).catch(() => {});
    },
    "a revocation that the vendor refuses for 7 days": deletion(7 * DAY + 1_000),
  },
};

/** A way to every ending that the code has (the compiler checks that none is missing). */
export const outcomes = Object.keys(ways) as GrantOutcome["outcome"][];

export const endings = Object.entries(ways).flatMap(([outcome, each]) =>
  Object.entries(each).map(([name, way]) => [outcome as GrantOutcome["outcome"], name, way] as const),
);

/** The outcomes and events of one way, in order. */
export async function toldOn(way: Way): Promise<readonly GrantOutcome[]> {
  const world = new CalmWorld();
  world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now }, { dueAt: world.now - 1_000 });
  await way(world);
  return world.outcomes;
}
