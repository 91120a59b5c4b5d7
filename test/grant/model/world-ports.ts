import type { WorkerDeps } from "../../../functions/core/grant/grant-deps.ts";
import { type Timing, timing } from "../../../functions/core/grant/timing.ts";
import type { Instance } from "../../../functions/core/instances/instance.ts";
import type { InstanceResealing } from "../../../functions/core/instances/instance-store.ts";
import type { PendingKey, PendingSignIn } from "../../../functions/core/instances/pending-sign-in.ts";
import type { PendingRemoval, PendingSignIns } from "../../../functions/core/instances/pending-store.ts";
import type { RescueRecord } from "../../../functions/core/instances/rescue-store.ts";
import type { TransientItem, TransientStore } from "../../../functions/core/transients.ts";
import type { Sealer, Vault } from "../../../functions/core/vault/ports.ts";
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

/** What a worker has, and an operator's command. */
export type WorldDeps = WorkerDeps & { readonly instances: InstanceResealing };

/** What takes days, in minutes: a scenario must get there. */
export const MODEL_TIMING: Timing = {
  ...timing,
  keepDeadMs: 60_000,
  refusedMs: 8_000,
  refusedTries: 2,
  refusedStepMs: 2_000,
  refusedNoticeMs: 200_000,
  refusedDayMs: 2_000,
};

/** The ports of one process: each call is a step that waits until the scheduler lets it happen. */
export function portsOf(world: World, process: Process): WorldDeps {
  const table = <T>(label: string, writes: boolean, effect: () => T) =>
    world.step(process, "table", label, writes, effect);
  const write = (
    label: string,
    condition: (instance: Instance) => boolean,
    change: (instance: Instance) => Instance | undefined,
  ): Promise<boolean> =>
    table(label, true, () => {
      const { instance } = world;
      if (instance === undefined || !condition(instance)) {
        world.log.push("  refused");
        return false;
      }
      world.instance = change(instance);
      return true;
    });
  const without = (instance: Instance, ...names: (keyof Instance)[]): Instance => {
    const copy: Record<string, unknown> = { ...instance };
    for (const name of names) delete copy[name];
    return copy as unknown as Instance;
  };
  const due = (dueAt: number | undefined): { dueAt?: number } => (dueAt === undefined ? {} : { dueAt });
  /** As each write of a new grant leaves it. */
  const freed = (instance: Instance, ...names: (keyof Instance)[]): Instance =>
    without(
      instance,
      "until",
      "deadVersion",
      "dueAt",
      "dueSince",
      "death",
      "lastError",
      "lastFailure",
      "attempts",
      "retryAt",
      "askedUntil",
      "refusals",
      ...names,
    );
  const { rules } = world;

  return {
    instances: {
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
          ({ version, fence }) => version === seen.version && (!rules.takeFence || fence === seen.fence),
          (instance) => {
            // A vendor may give the living token again: what was spared for that lies in the table, and is carried no more.
            if (process.inHand === world.storedToken()) process.inHand = undefined;
            process.probed = world.storedToken() === undefined;
            process.lease = { version: seen.version, fence: seen.fence + 1, epoch: instance.epoch, until };
            if (forcedAt !== undefined) judgeForced(world, process, forcedAt);
            return {
              ...instance,
              fence: seen.fence + 1,
              until,
              ...(forcedAt === undefined || !rules.forcedAt ? {} : { forcedAt }),
            };
          },
        ),
      release: (_id, fence, change = {}) =>
        write(
          `releases fence ${fence}`,
          (instance) => !rules.releaseFence || instance.fence === fence,
          (instance) => ({ ...without(instance, "until"), ...(instance.deleting === true ? {} : change) }),
        ),
      commit: (_id, base, won) =>
        write(
          `commits token ${world.tokenOf(won.fence, won.grant)} as version ${won.fence} over ${base.version}`,
          ({ version, deleting }) => (!rules.commitVersion || version === base.version) && deleting !== true,
          (instance) => {
            const token = world.tokenOf(won.fence, won.grant);
            world.checkSize(process, won.fence, won.grant);
            judgeCommit(world, process, instance, token);
            world.saved(token);
            return {
              ...freed(instance),
              grant: won.grant,
              version: won.fence,
              lastRefreshedAt: won.refreshedAt,
              ...due(won.dueAt),
            };
          },
        ),
      markDead: (_id, seen, lastError, dueAt, more) =>
        write(
          `marks version ${seen.version} dead (${lastError})`,
          ({ version, fence, deleting }) =>
            deleting !== true && (!rules.deadCondition || (version === seen.version && fence === seen.fence)),
          (instance) => {
            judgeDeath(world, process, instance, lastError);
            const deadVersion = rules.deadCondition ? seen.version : instance.version;
            const { accessToken, refreshToken, ...left } = world.unseal(instance.version, instance.grant);
            return {
              ...without(instance, "until", "dueAt", "dueSince", "attempts", "retryAt", "refusals"),
              ...(rules.keepDead
                ? {}
                : { grant: world.seal(instance.version, { ...left, accessToken: "" }) }),
              deadVersion,
              lastError,
              ...more,
              ...due(dueAt),
            };
          },
        ),
      emptyDead: (_id, seen, { grant, death, dueAt }) =>
        write(
          `takes the tokens out of version ${seen.version}`,
          ({ version, fence, deadVersion, deleting }) =>
            deleting !== true &&
            (!rules.emptyCondition ||
              (version === seen.version && fence === seen.fence && deadVersion === seen.version)),
          (instance) => {
            judgeEmptying(world, process, instance, seen);
            return {
              ...without(instance, "dueAt", "dueSince"),
              grant,
              death,
              fence: seen.fence + 1,
              ...due(dueAt),
            };
          },
        ),
      signIn: (_id, seen, won) =>
        write(
          `signs in as epoch ${won.epoch}, version ${seen.fence + 1}`,
          ({ epoch, fence, version, deleting }) =>
            epoch < won.epoch && fence === seen.fence && version === seen.version && deleting !== true,
          (instance) => {
            judgeClaimed(world, process, won.epoch);
            const token = world.tokenOf(seen.fence + 1, won.grant);
            world.checkSize(process, seen.fence + 1, won.grant);
            const stored = world.storedToken();
            if (Number.isNaN(token)) {
              judgeCarry(world, process, instance, won.changes?.account);
            } else if (stored !== undefined && world.vendor.familyOf(token) < world.vendor.familyOf(stored)) {
              world.violate("3: an older sign-in replaces a newer one");
            }
            world.saved(token);
            // What is carried over is no better than it was.
            if (token !== stored) world.excused = undefined;
            world.lastForcedAt = undefined;
            return {
              ...freed(instance, "account", "replacedGrants", "forcedAt", "refreshable"),
              ...won.changes,
              ...(won.refreshable === undefined ? {} : { refreshable: won.refreshable }),
              ...(won.replacedGrants === undefined || !rules.keepReplaced
                ? {}
                : { replacedGrants: won.replacedGrants }),
              grant: won.grant,
              epoch: won.epoch,
              fence: seen.fence + 1,
              version: seen.fence + 1,
              ...due(won.dueAt),
            };
          },
        ),
      forgetReplaced: (_id, seen) =>
        write(
          "forgets what was replaced",
          ({ epoch }) => !rules.forgetEpoch || epoch === seen.epoch,
          (instance) => without(instance, "replacedGrants"),
        ),
      reseal: (_id, seen, grant) =>
        write(
          `re-seals version ${seen.version}`,
          ({ version, fence }) => !rules.resealVersion || (version === seen.version && fence === seen.fence),
          (instance) => {
            if (instance.version !== seen.version) {
              world.violate(`3: a re-seal puts version ${seen.version} in the place of ${instance.version}`);
            }
            return { ...instance, grant };
          },
        ),
      resealReplaced: (_id, seen, replacedGrants) =>
        write(
          "re-seals what was replaced",
          (instance) => instance.epoch === seen.epoch && instance.replacedGrants !== undefined,
          (instance) => ({ ...instance, replacedGrants }),
        ),
      resealConfiguration: () => Promise.reject(new Error("no configuration in this world")),
      sealClear: () => Promise.reject(new Error("no configuration in this world")),
      markDeleting: (_id, now, who) =>
        write(
          "marks the item for deletion",
          ({ deleting }) => who !== "first" || deleting !== true,
          (instance) => ({
            ...without(instance, "dueSince"),
            deleting: true,
            deletingSince: instance.deletingSince ?? now,
            dueAt: now,
          }),
        ),
      remove: () =>
        write(
          "deletes the item",
          ({ deleting }) => deleting === true,
          () => {
            world.gone = true;
            world.risen = false;
            return undefined;
          },
        ),
      setEnabled: (_id, enabled, now) =>
        write(
          enabled ? "enables" : "disables",
          ({ deleting }) => deleting !== true,
          (instance) =>
            enabled ? { ...without(instance, "dueSince"), enabled, dueAt: now } : { ...instance, enabled },
        ),
      update: (_id, changes) =>
        write(
          "updates",
          ({ deleting }) => deleting !== true,
          (instance) => ({ ...instance, ...changes }),
        ),
      noteAccount: (_id, seen, { at: _, ...noted }) =>
        write(
          "notes its account",
          ({ epoch, deleting }) => epoch === seen.epoch && deleting !== true,
          (instance) => ({ ...instance, ...noted }),
        ),
      touch: (_id, lastUsedAt, dueAt) =>
        write(
          "notes its use",
          ({ deleting }) => deleting !== true,
          (instance) => ({ ...instance, lastUsedAt, ...due(dueAt) }),
        ),
      push: (_id, seen, to, owedSince, of) =>
        write(
          "pushes its due time",
          ({ dueAt, epoch, deleting }) =>
            dueAt === seen && (of === undefined || epoch === of) && deleting !== true,
          (instance) => ({
            ...without(instance, "dueAt", "dueSince"),
            ...due(to),
            ...(owedSince === undefined ? {} : { dueSince: owedSince }),
          }),
        ),
      pushDeletion: (_id, to) =>
        write(
          "pushes its deletion",
          ({ deleting }) => deleting === true,
          (instance) => ({
            ...without(instance, "dueSince", "deletionUntil"),
            dueAt: to,
          }),
        ),
      claimDeletion: (_id, seen, to) =>
        write(
          "claims its deletion",
          ({ deleting, deletionUntil }) => deleting === true && deletionUntil === seen.deletionUntil,
          (instance) => ({ ...instance, deletionUntil: to }),
        ),
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
          // An access token alone: it ends by itself, too.
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
    // It lies on the due index: a worker comes by sooner or later.
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
    // Whether somebody may begin is no matter of the protocol.
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
    // KMS can be slow and can fail, for either; what was sealed with a key at hand needs nobody.
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
    condition: (pending: PendingSignIn) => boolean,
    next: (pending: PendingSignIn) => Partial<PendingSignIn>,
  ): Promise<boolean> =>
    world.step(process, "table", `${label} of ${key.sessionId}`, true, () => {
      const pending = world.pendings.get(key.sessionId);
      if (pending === undefined || !condition(pending)) {
        world.log.push("  refused");
        return false;
      }
      world.pendings.set(key.sessionId, { ...pending, ...next(pending) });
      return true;
    });
  const notEnding = ({ endingSince }: PendingSignIn): boolean => endingSince === undefined;
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
    noteAccount: (key, noted) => change("notes the account", key, notEnding, () => noted),
    markClaimed: (key, { at, ...rest }) =>
      change(
        "marks the claim",
        key,
        (pending) => !rules.claimUnlessEnding || notEnding(pending),
        ({ claimedAt = at, epoch }) => {
          world.marked.add(epoch);
          return { ...rest, claimedAt };
        },
      ),
    markEnding: (key, now, claimedToo) =>
      change(
        "marks the end",
        key,
        ({ claimedAt }) => claimedToo === true || claimedAt === undefined || !rules.endUnlessClaimed,
        ({ endingSince = now }) => ({ endingSince, dueAt: now }),
      ),
    push: (key, to) =>
      change(
        "pushes the due time",
        key,
        () => true,
        () => ({ dueAt: to }),
      ),
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
