import type { WorkerDeps } from "../../../functions/core/grant/grant-deps.ts";
import { type Timing, timing } from "../../../functions/core/grant/timing.ts";
import type { Instance } from "../../../functions/core/instances/instance.ts";
import type { InstanceResealing } from "../../../functions/core/instances/instance-store.ts";
import type { PendingKey, PendingSignIn } from "../../../functions/core/instances/pending-sign-in.ts";
import type { PendingRemoval, PendingSignIns } from "../../../functions/core/instances/pending-store.ts";
import type { RescueRecord } from "../../../functions/core/instances/rescue-store.ts";
import { present } from "../../../functions/core/present.ts";
import type { TransientItem, TransientStore } from "../../../functions/core/transients.ts";
import type { Sealer, Vault } from "../../../functions/core/vault/ports.ts";
import { giveLeaseBack, instanceTransitions } from "../memory/instance-transitions.ts";
import { noDetails } from "../memory/no-details.ts";
import { pendingTransitions } from "../memory/pending-transitions.ts";
import { changed, isAllowed, type Transition } from "../memory/transition.ts";
import {
  judgeCarry,
  judgeClaimed,
  judgeCommit,
  judgeDeath,
  judgeEmptying,
  judgeEvent,
  judgeForced,
  judgeLoss,
} from "./invariants.ts";
import type { Process, Timer } from "./process.ts";
import type { World } from "./world.ts";
import { accountAtVendor, exchangeAtVendor, refreshAtVendor } from "./world-vendor.ts";

/** The dependencies of a worker and of an operator's command. */
export type WorldDeps = WorkerDeps & { readonly instances: InstanceResealing };

/** The timing, with minutes in place of days, so that a scenario can reach their end. */
export const MODEL_TIMING: Timing = {
  ...timing,
  keepDeadMs: 60_000,
  refusedMs: 8_000,
  refusedTries: 2,
  refusedStepMs: 2_000,
  refusedNoticeMs: 200_000,
  refusedDayMs: 2_000,
};

/** What a rule takes out of a write, or adds to a write. */
interface Leeway {
  /** Names of conditions. */
  readonly without?: readonly string[];
  readonly judge?: (before: Instance, after: Instance) => Instance;
}

/** The ports of one process: each call is a step that waits until the scheduler runs it. */
export function portsOf(world: World, process: Process): WorldDeps {
  const table = <T>(label: string, writes: boolean, effect: () => T) =>
    world.step(process, "table", label, writes, effect);
  /**
   * One write as the table has it (../memory), without the conditions that the rules take out.
   * @param judge sees the item before and after the write, and returns the item to store
   */
  const write = (
    label: string,
    transition: Transition<Instance>,
    { without = [], judge = (_, after) => after }: Leeway = {},
  ): Promise<boolean> =>
    table(label, true, () => {
      const { instance } = world;
      if (instance === undefined || !isAllowed(instance, transition, without)) {
        world.log.push("  refused");
        return false;
      }
      world.instance = judge(instance, changed(instance, transition));
      return true;
    });
  const { rules } = world;
  const of = instanceTransitions;

  return {
    instances: {
      ...noDetails,
      get: (id) => {
        const askedAt = world.now;
        return table("reads the item", false, () => {
          const reading = world.reading(process, askedAt);
          if (id !== world.id || world.instance === undefined) return { value: undefined, reading };
          const isBlind = !rules.lease || (!rules.carryLease && /^[TI]/.test(process.name));
          const blind = isBlind && world.instance.until !== undefined;
          return {
            value: blind ? { ...world.instance, until: reading.dateMs - 1000 } : world.instance,
            reading,
          };
        });
      },
      takeLease: (_id, seen, until, forcedAt) =>
        write(
          `takes the lease on version ${seen.version} as fence ${seen.fence + 1}`,
          of.takeLease(seen, until, rules.forcedAt ? forcedAt : undefined),
          {
            without: rules.takeFence ? [] : ["fence"],
            judge: (instance, after) => {
              // A vendor may give the valid token again: then the token in hand is already in the table.
              if (process.inHand === world.storedToken()) process.inHand = undefined;
              process.probed = world.storedToken() === undefined;
              process.lease = { version: seen.version, fence: seen.fence + 1, epoch: instance.epoch, until };
              if (forcedAt !== undefined) judgeForced(world, process, forcedAt);
              return after;
            },
          },
        ),
      release: (_id, fence, change = {}) => {
        const without = rules.releaseFence ? [] : ["fence"];
        return table(`releases fence ${fence}`, true, () => {
          const { instance } = world;
          const whole = of.release(fence, change);
          const lease = giveLeaseBack(fence);
          const done = [whole, lease].find((each) => instance && isAllowed(instance, each, without));
          if (instance === undefined || done === undefined) {
            world.log.push("  refused");
            return false;
          }
          world.instance = changed(instance, done);
          return done === whole;
        });
      },
      commit: (_id, base, won) =>
        write(
          `commits token ${world.tokenOf(won.fence, won.grant)} as version ${won.fence} over ${base.version}`,
          of.commit(base, won),
          {
            without: rules.commitVersion ? [] : ["version"],
            judge: (instance, after) => {
              const token = world.tokenOf(won.fence, won.grant);
              world.checkSize(process, won.fence, won.grant);
              judgeCommit(world, process, instance, token);
              world.saved(token);
              return after;
            },
          },
        ),
      markDead: (_id, seen, lastError, dueAt, more) =>
        write(
          `marks version ${seen.version} dead (${lastError})`,
          of.markDead(seen, lastError, dueAt, more),
          {
            without: rules.deadCondition ? [] : ["version", "fence"],
            judge: (instance, after) => {
              judgeDeath(world, process, instance, lastError);
              const { version } = instance;
              const { accessToken, refreshToken, ...left } = world.unseal(version, instance.grant);
              return {
                ...after,
                deadVersion: rules.deadCondition ? seen.version : version,
                ...(rules.keepDead ? {} : { grant: world.seal(version, { ...left, accessToken: "" }) }),
              };
            },
          },
        ),
      emptyDead: (_id, seen, left) =>
        write(`takes the tokens out of version ${seen.version}`, of.emptyDead(seen, left), {
          without: rules.emptyCondition ? [] : ["version", "fence", "dead"],
          judge: (instance, after) => {
            judgeEmptying(world, process, instance, seen);
            return after;
          },
        }),
      signIn: (_id, seen, { replacedGrants, ...won }) =>
        write(
          `signs in as epoch ${won.epoch}, version ${seen.fence + 1}`,
          of.signIn(seen, { ...won, ...(rules.keepReplaced ? present({ replacedGrants }) : {}) }),
          {
            judge: (instance, after) => {
              judgeClaimed(world, process, won.epoch);
              const token = world.tokenOf(seen.fence + 1, won.grant);
              world.checkSize(process, seen.fence + 1, won.grant);
              const stored = world.storedToken();
              if (Number.isNaN(token)) {
                judgeCarry(world, process, instance, won.changes?.account);
              } else if (
                stored !== undefined &&
                world.vendor.familyOf(token) < world.vendor.familyOf(stored)
              ) {
                world.violate("3: an older sign-in replaces a newer one");
              }
              world.saved(token);
              // A refresh token that is carried over has the same excuse as before.
              if (token !== stored) world.excused = undefined;
              world.lastForcedAt = undefined;
              return after;
            },
          },
        ),
      forgetReplaced: (_id, seen) =>
        write("forgets what was replaced", of.forgetReplaced(seen), {
          without: rules.forgetEpoch ? [] : ["epoch"],
        }),
      reseal: (_id, seen, grant) =>
        write(`re-seals version ${seen.version}`, of.reseal(seen, grant), {
          without: rules.resealVersion ? [] : ["version", "fence"],
          judge: (instance, after) => {
            if (instance.version !== seen.version) {
              world.violate(`3: a re-seal puts version ${seen.version} in the place of ${instance.version}`);
            }
            return after;
          },
        }),
      resealReplaced: (_id, seen, replacedGrants) =>
        write("re-seals what was replaced", of.resealReplaced(seen, replacedGrants)),
      resealConfiguration: () => Promise.reject(new Error("no configuration in this world")),
      sealClear: () => Promise.reject(new Error("no configuration in this world")),
      markDeleting: (_id, now, who) => write("marks the item for deletion", of.markDeleting(now, who)),
      remove: () =>
        table("deletes the item", true, () => {
          if (world.instance?.deleting !== true) {
            world.log.push("  refused");
            return false;
          }
          world.gone = true;
          world.risen = false;
          world.instance = undefined;
          return true;
        }),
      setEnabled: (_id, enabled, now) => write(enabled ? "enables" : "disables", of.setEnabled(enabled, now)),
      update: (_id, changes, now, seen) => write("updates", of.update(changes, now, seen)),
      noteAccount: (_id, seen, noted) => write("notes its account", of.noteAccount(seen, noted)),
      touch: (_id, usedAt, dueAt) => write("notes its use", of.touch(usedAt, dueAt)),
      setDueAt: (_id, seen, to, owedSince, epoch) =>
        write("pushes its due time", of.setDueAt(seen, to, owedSince, epoch)),
      setDeletionDueAt: (_id, to) => write("pushes its deletion", of.setDeletionDueAt(to)),
      claimDeletion: (_id, seen, to) => write("claims its deletion", of.claimDeletion(seen, to)),
      create: (instance) =>
        table("creates the item", true, () => {
          if (world.instance !== undefined) {
            world.log.push("  refused");
            return false;
          }
          judgeClaimed(world, process, instance.epoch);
          world.checkSize(process, instance.version, instance.grant);
          if (world.gone) world.risen = true;
          world.saved(world.tokenOf(instance.version, instance.grant));
          world.instance = instance;
          return true;
        }),
      hasSibling: () => Promise.resolve(false),
    },
    rescue: {
      put: (record) =>
        world.step(process, "bucket", `puts the record ${keyOf(record)}`, true, () => {
          world.records.set(keyOf(record), record);
          if (record.kind === "refresh") world.saved(world.tokenOf(record.fence, record.grant));
          if (record.kind === "sign-in") world.saved(world.tokenOf(`signin-${record.epoch}`, record.grant));
          if (record.kind === "pending") {
            world.saved(pendingToken(world, record.pending));
            world.id = record.pending.instanceId;
          }
        }),
      get: (_id, fence) =>
        world.step(process, "bucket", `looks for the record of fence ${fence}`, false, () =>
          rules.look && (rules.carryLook || !/^[TI]/.test(process.name))
            ? world.records.get(`rescue/${world.id}/${fence}`)
            : undefined,
        ),
      read: (key) =>
        world.step(process, "bucket", `reads the record ${key}`, false, () => world.records.get(key)),
      remove: (key) =>
        world.step(process, "bucket", `removes the record ${key}`, true, () => {
          world.records.delete(key);
        }),
    },
    vault: vaultOf(world, process),
    tokens: {
      refresh: (_connector, _client, request) => refreshAtVendor(world, process, request),
      exchangeCode: () => exchangeAtVendor(world, process),
      revoke: (_connector, _client, grant) => {
        const token = Number(grant.refreshToken);
        return world.step(process, "revoke", `revokes token ${token}`, true, () => {
          // An access token alone ends by itself too.
          if (Number.isNaN(token)) return true;
          if (process.name.startsWith("P") && !rules.revokePending) return true;
          const replaced = process.name.startsWith("Q") && token !== process.inHand;
          if (replaced ? !rules.revokeReplaced : !rules.revokeOrphan && world.instance?.deleting !== true)
            return true;
          world.vendor.revoke(token);
          if (process.inHand === token) process.inHand = undefined;
          return true;
        });
      },
    },
    clients: { resolve: () => Promise.resolve({ id: "client", secret: "secret" }) },
    http: { send: ({ headers }) => accountAtVendor(world, process, String(headers[0]?.[1])) },
    connectors: () =>
      world.tellsAccounts
        ? { ...world.connector, account: { method: "GET", path: "/me", id: "id" } }
        : world.connector,
    monotonic: () => world.now + process.monotonicOffset,
    random: () => 0.5,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (!process.alive) return;
        const timer: Timer = { at: world.now + ms, process, fire: resolve };
        world.timers.push(timer);
        signal?.addEventListener("abort", () => {
          world.timers = world.timers.filter((each) => each !== timer);
          resolve();
        });
      }),
    timing: world.rules.spareFresh ? MODEL_TIMING : { ...MODEL_TIMING, freshTokenMs: 0 },
    enqueueRefresh: () => Promise.resolve(),
    enqueueDeletion: () => Promise.resolve(),
    pendings: pendingsOf(world, process),
    // The item is on the due index, so a worker visits it sooner or later.
    enqueuePending: () => Promise.resolve(),
    outcome: (outcome) => {
      world.outcomes.push(outcome);
      process.counted += 1;
      if (outcome.outcome === "lost") judgeLoss(world, process);
    },
    announce: (event) => {
      judgeEvent(world, process, event);
      return Promise.resolve();
    },
    publish: () => Promise.reject(new Error("nothing is published in this world")),
    // Whether a refresh may begin is not part of the protocol.
    pauses: {
      check: () => Promise.resolve({ kind: "open" }),
      pause: () => Promise.resolve(),
      giveBack: () => Promise.resolve(),
      resume: () => Promise.resolve(),
    },
    refused: { notice: () => Promise.resolve(), mayEnd: () => Promise.resolve(true) },
    activeWindowMs: 7 * 86_400_000,
  };
}

function vaultOf(world: World, process: Process): Vault {
  const sealer: Sealer = {
    seal: (place, text) => Promise.resolve(new TextEncoder().encode(JSON.stringify([place, text]))),
  };
  return {
    ...sealer,
    // KMS can be slow and can fail when a key must be unwrapped; sealing with an unwrapped key needs no call.
    prepare: () => world.step(process, "vault", "unwraps the key", false, () => sealer),
    open: (place, sealed) => {
      const [sealedPlace, text] = JSON.parse(new TextDecoder().decode(sealed)) as [unknown, string];
      if (JSON.stringify(sealedPlace) !== JSON.stringify(place)) throw new Error("sealed for another place");
      return world.step(process, "vault", `opens version ${place.version}`, false, () => text);
    },
  };
}

export function transientsOf(world: World, process: Process): TransientStore {
  const living = (id: string): TransientItem | undefined => {
    const item = world.transients.get(id);
    return item === undefined || item.expiresAt <= world.now ? undefined : item;
  };
  const step = <T>(label: string, effect: () => T) => world.step(process, "transients", label, true, effect);
  return {
    put: (item) =>
      step(`reserves ${item.id.slice(0, 9)}`, () => {
        if (living(item.id) !== undefined) return false;
        world.transients.set(item.id, item);
        return true;
      }),
    get: (id) => step(`looks up ${id.slice(0, 9)}`, () => living(id)) as never,
    consume: () => Promise.reject(new Error("nothing is consumed in this world")),
    replace: () => Promise.reject(new Error("nothing is replaced in this world")),
    remove: (id) =>
      step(`forgets ${id.slice(0, 9)}`, () => {
        world.transients.delete(id);
      }),
    now: () => world.now,
  };
}

function pendingsOf(world: World, process: Process): PendingSignIns & PendingRemoval {
  const { rules } = world;
  const change = (
    label: string,
    key: PendingKey,
    transition: Transition<PendingSignIn>,
    without: readonly string[] = [],
    judge: (pending: PendingSignIn) => void = () => {},
  ): Promise<boolean> =>
    world.step(process, "table", `${label} of ${key.sessionId}`, true, () => {
      const pending = world.pendings.get(key.sessionId);
      if (pending === undefined || !isAllowed(pending, transition, without)) {
        world.log.push("  refused");
        return false;
      }
      judge(pending);
      world.pendings.set(key.sessionId, changed(pending, transition));
      return true;
    });
  return {
    get: (key) => {
      const askedAt = world.now;
      return world.step(process, "table", `reads the pending sign-in of ${key.sessionId}`, false, () => ({
        value: world.pendings.get(key.sessionId),
        reading: world.reading(process, askedAt),
      }));
    },
    ofInstance: () =>
      world.step(process, "table", "looks for pending sign-ins", false, () => [...world.pendings.values()]),
    put: (pending) =>
      world.step(process, "table", `puts the pending sign-in of ${pending.sessionId}`, true, () => {
        world.checkSize(process, `pending-${pending.epoch}`, pending.grant);
        world.saved(pendingToken(world, pending));
        world.id = pending.instanceId;
        if (world.pendings.has(pending.sessionId)) return false;
        world.pendings.set(pending.sessionId, { ...pending, dueAt: pending.endsAt });
        return true;
      }),
    noteAccount: (key, noted) => change("notes the account", key, pendingTransitions.noteAccount(noted)),
    markClaimed: (key, claim) =>
      change(
        "marks the claim",
        key,
        pendingTransitions.markClaimed(claim),
        rules.claimUnlessEnding ? [] : ["notEnding"],
        ({ epoch }) => world.marked.add(epoch),
      ),
    markEnding: (key, now, claimedToo) =>
      change(
        "marks the end",
        key,
        pendingTransitions.markEnding(now, claimedToo),
        rules.endUnlessClaimed ? [] : ["unclaimed"],
      ),
    setDueAt: (key, to) => change("pushes the due time", key, pendingTransitions.setDueAt(to)),
    remove: (key) =>
      world.step(process, "table", `removes the pending sign-in of ${key.sessionId}`, true, () => {
        world.pendings.delete(key.sessionId);
      }),
  };
}

function pendingToken(world: World, { epoch, grant }: PendingSignIn): number {
  return world.tokenOf(`pending-${epoch}`, grant);
}

function keyOf(record: RescueRecord): string {
  if (record.kind === "pending") return `rescue/${record.pending.instanceId}/pending-${record.pending.epoch}`;
  if (record.kind === "new") return `rescue/${record.instance.id}/new`;
  return `rescue/${record.instanceId}/${record.kind === "refresh" ? record.fence : `signin-${record.epoch}`}`;
}
