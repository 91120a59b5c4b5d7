import type { Instance } from "../../../functions/core/instances/instance.ts";
import type {
  InstanceItems,
  InstanceResealing,
  InstanceSuspension,
} from "../../../functions/core/instances/instance-store.ts";
import type { KeptDetailsResealing } from "../../../functions/core/instances/kept-details-store.ts";
import type { Transition } from "./transition.ts";

/** Attributes of the old grant, which a new grant removes. */
const OF_OLD_GRANT = [
  "until",
  "deadVersion",
  "death",
  "lastError",
  "lastFailure",
  "attempts",
  "retryAt",
  "askedUntil",
  "refusals",
] as const satisfies readonly (keyof Instance)[];

const living = ({ deleting }: Instance): boolean => deleting !== true;
const ending = ({ deleting }: Instance): boolean => deleting === true;
const version = (seen: number) => (instance: Instance) => instance.version === seen;
const fence = (seen: number) => (instance: Instance) => instance.fence === seen;
const epoch = (seen: string) => (instance: Instance) => instance.epoch === seen;

/** Sets a new due time, or takes the item off the due index; removes what was owed before, unless `dueSince` is given. */
const due = (dueAt: number | undefined, dueSince?: number) => ({
  set: { dueAt, dueSince },
  remove: ["dueSince", ...(dueAt === undefined ? (["dueAt"] as const) : [])] as (keyof Instance)[],
});

type Writes = Omit<InstanceItems, "get"> &
  Omit<InstanceResealing, keyof KeptDetailsResealing> &
  InstanceSuspension;
type Arguments<Name extends keyof Writes> = Writes[Name] extends (id: number, ...rest: infer Rest) => unknown
  ? Rest
  : never;

/** Every conditional write of an instance, as functions/core/instances/instance-store.ts has them. */
export const instanceTransitions = {
  takeLease: (seen, until, forcedAt) => ({
    conditions: { version: version(seen.version), fence: fence(seen.fence) },
    set: { fence: seen.fence + 1, until, forcedAt },
  }),
  release: (held, { dueAt, dueSince, ...rest } = {}) => {
    const { set, remove } = dueAt === undefined ? { set: {}, remove: [] } : due(dueAt, dueSince);
    return {
      conditions: { fence: fence(held), living },
      set: { ...rest, ...set },
      remove: ["until", ...remove],
    };
  },
  commit: (base, won) => {
    const { set, remove } = due(won.dueAt);
    return {
      conditions: { version: version(base.version), living },
      set: { grant: won.grant, version: won.fence, lastRefreshedAt: won.refreshedAt, ...set },
      remove: [...OF_OLD_GRANT, ...remove],
    };
  },
  markDead: (seen, lastError, dueAt, more) => {
    const { set, remove } = due(dueAt);
    return {
      conditions: { version: version(seen.version), fence: fence(seen.fence), living },
      set: { deadVersion: seen.version, lastError, ...more, ...set },
      remove: ["until", "attempts", "retryAt", "askedUntil", "refusals", ...remove],
    };
  },
  emptyDead: (seen, { grant, death, dueAt }) => {
    const { set, remove } = due(dueAt);
    return {
      conditions: {
        version: version(seen.version),
        fence: fence(seen.fence),
        dead: ({ deadVersion }) => deadVersion === seen.version,
        living,
      },
      set: { grant, death, fence: seen.fence + 1, ...set },
      remove,
    };
  },
  signIn: (seen, won) => {
    const { set, remove } = due(won.dueAt);
    const { refreshGroup, consentKey, refreshable, replacedGrants } = won;
    const next = seen.fence + 1;
    return {
      conditions: {
        later: (instance) => instance.epoch < won.epoch,
        fence: fence(seen.fence),
        version: version(seen.version),
        living,
      },
      atLeast: { updatedAt: won.at },
      set: {
        ...won.changes,
        grant: won.grant,
        epoch: won.epoch,
        version: next,
        fence: next,
        refreshGroup,
        consentKey,
        refreshable,
        replacedGrants,
        ...set,
      },
      remove: [...OF_OLD_GRANT, "forcedAt", "replacedGrants", "refreshable", "account", ...remove],
    };
  },
  forgetReplaced: (seen) => ({ conditions: { epoch: epoch(seen.epoch) }, remove: ["replacedGrants"] }),
  markDeleting: (now, who) => {
    const { set, remove } = due(now);
    return {
      conditions: who === "first" ? { living } : {},
      set: { deleting: true, ...set },
      setOnce: { deletingSince: now },
      remove,
    };
  },
  setEnabled: (enabled, now) => {
    const { set, remove } = enabled ? due(now) : { set: {}, remove: [] };
    return { conditions: { living }, atLeast: { updatedAt: now }, set: { enabled, ...set }, remove };
  },
  update: (changes, now, { newestToken } = {}) => ({
    conditions: {
      living,
      newest: ({ tokenHashes }) => newestToken === undefined || tokenHashes[0]?.hash === newestToken,
    },
    atLeast: { updatedAt: now },
    set: changes,
  }),
  noteAccount: (seen, noted) => ({
    conditions: {
      epoch: epoch(seen.epoch),
      consentKey: ({ consentKey }) => seen.consentKey === undefined || consentKey === seen.consentKey,
      living,
    },
    set: noted,
  }),
  touch: (lastUsedAt, dueAt) => {
    const { set, remove } = dueAt === undefined ? { set: {}, remove: [] } : due(dueAt);
    return { conditions: { living }, set: { lastUsedAt, ...set }, remove };
  },
  setDueAt: (seen, to, owedSince, of) => ({
    conditions: {
      seen: ({ dueAt }) => dueAt === seen,
      epoch: (instance) => of === undefined || instance.epoch === of,
      living,
    },
    ...due(to, owedSince),
  }),
  claimDeletion: (seen, to) => ({
    conditions: { ending, claim: ({ deletionUntil }) => deletionUntil === seen.deletionUntil },
    set: { deletionUntil: to },
  }),
  setDeletionDueAt: (to) => {
    const { set, remove } = due(to);
    return { conditions: { ending }, set, remove: ["deletionUntil", ...remove] };
  },
  reseal: (seen, grant) => ({
    conditions: { version: version(seen.version), fence: fence(seen.fence) },
    set: { grant },
  }),
  resealConfiguration: (seen, sealedConfiguration) => ({
    conditions: { seen: (instance) => areSame(instance.sealedConfiguration, seen) },
    set: { sealedConfiguration },
  }),
  sealClear: (seen, changes) => ({
    conditions: { seen: (instance) => areSame(instance.sealedConfiguration, seen) },
    set: changes,
  }),
  resealReplaced: (seen, replacedGrants) => ({
    conditions: { epoch: epoch(seen.epoch), there: (instance) => instance.replacedGrants !== undefined },
    set: { replacedGrants },
  }),
  markSuspended: (suspended) =>
    suspended
      ? { conditions: {}, set: { userSuspended: true } }
      : { conditions: {}, remove: ["userSuspended"] },
} as const satisfies { [Name in keyof Writes]: (...rest: Arguments<Name>) => Transition<Instance> };

/** The lease of an instance that is being deleted is given back too, and nothing else changes. */
export const giveLeaseBack = (held: number): Transition<Instance> => ({
  conditions: { fence: fence(held) },
  remove: ["until"],
});

function areSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.from(one).equals(other);
}
