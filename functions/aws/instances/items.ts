import { DeleteCommand, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type {
  InstanceCreation,
  InstanceItems,
  InstanceRemoval,
  InstanceResealing,
  InstanceSuspension,
} from "../../core/instances/instance-store.ts";
import { present } from "../../core/present.ts";
import { conditionHeld } from "../conditional-write.ts";
import { readingOf } from "../store-time.ts";
import { type InstanceItem, instanceKey, instanceOf, itemOf } from "./item.ts";
import { keptDetailsRemoval, keptDetailsResealing } from "./kept-details.ts";
import { type Change, dueChange, type InstanceTableOptions, updateItem } from "./update-item.ts";

const EXISTS = "attribute_exists(#instanceId)";
const NOT_DELETING = "attribute_not_exists(#deleting)";

/** Attributes that describe the old grant. Writing a new grant removes them. */
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
];

/**
 * Instances by id: strongly consistent reads, conditional updates of single items. Needs GetItem and
 * UpdateItem.
 */
export function instanceItems(options: InstanceTableOptions): InstanceItems {
  const { client, tableName } = options;
  const writes: Writes = {
    change: (id, what) => updateItem(options, id, what),
    due: (id, dueAt, owedSince) => dueChange(options, id, dueAt, owedSince),
  };
  return {
    async get(id) {
      const output = await client.send(
        new GetCommand({ TableName: tableName, Key: instanceKey(id), ConsistentRead: true }),
      );
      const value = output.Item === undefined ? undefined : instanceOf(output.Item as InstanceItem);
      return { value, reading: readingOf(output) };
    },
    ...refreshWrites(writes),
    ...signInWrites(writes),
    ...deletionWrites(writes),
    ...useWrites(writes),
  };
}

interface Writes {
  readonly change: (id: number, what: Change) => Promise<boolean>;
  /** `undefined`: takes the item off the due index. */
  readonly due: (id: number, dueAt: number | undefined, owedSince?: number) => ReturnType<typeof dueChange>;
}

/** Writes of a refresh: its lease and its result. */
function refreshWrites({
  change,
  due,
}: Writes): Pick<InstanceItems, "takeLease" | "release" | "commit" | "markDead" | "emptyDead"> {
  return {
    takeLease: (id, { version, fence }, until, forcedAt) =>
      change(id, {
        set: { fence: fence + 1, until, ...present({ forcedAt }) },
        condition: "#version = :version AND #fence = :fence",
        values: { version, fence },
      }),

    async release(id, fence, { dueAt, dueSince, ...rest } = {}) {
      const { set, remove } = dueAt === undefined ? { set: {}, remove: [] } : due(id, dueAt, dueSince);
      const released = await change(id, {
        set: { ...rest, ...set },
        remove: ["until", ...remove],
        condition: `#fence = :fence AND ${NOT_DELETING}`,
        values: { fence },
      });
      if (!released) await change(id, { remove: ["until"], condition: "#fence = :fence", values: { fence } });
      return released;
    },

    commit(id, base, { fence, grant, dueAt, refreshedAt }) {
      const { set, remove } = due(id, dueAt);
      return change(id, {
        set: { grant, version: fence, lastRefreshedAt: refreshedAt, ...set },
        remove: [...OF_OLD_GRANT, ...remove],
        condition: `#version = :version AND ${NOT_DELETING}`,
        values: { version: base.version },
      });
    },

    markDead(id, { version, fence }, lastError, dueAt, more) {
      const { set, remove } = due(id, dueAt);
      return change(id, {
        set: { deadVersion: version, lastError, ...more, ...set },
        remove: ["until", "attempts", "retryAt", "askedUntil", "refusals", ...remove],
        condition: `#version = :version AND #fence = :fence AND ${NOT_DELETING}`,
        values: { version, fence },
      });
    },

    emptyDead(id, { version, fence }, { grant, death, dueAt }) {
      const { set, remove } = due(id, dueAt);
      return change(id, {
        set: { grant, death, fence: fence + 1, ...set },
        remove,
        condition: `#version = :version AND #fence = :fence AND #deadVersion = :version AND ${NOT_DELETING}`,
        values: { version, fence },
      });
    },
  };
}

/** Writes of a sign-in and of the work after a sign-in: replaced grants and the account. */
function signInWrites({
  change,
  due,
}: Writes): Pick<InstanceItems, "signIn" | "forgetReplaced" | "noteAccount"> {
  return {
    signIn(
      id,
      { fence, version },
      { epoch, grant, dueAt, at, refreshGroup, consentKey, refreshable, replacedGrants, changes },
    ) {
      const { set, remove } = due(id, dueAt);
      return change(id, {
        updatedAt: at,
        set: {
          ...changes,
          grant,
          epoch,
          version: fence + 1,
          fence: fence + 1,
          ...present({ refreshGroup, consentKey, refreshable, replacedGrants }),
          ...set,
        },
        remove: [
          ...OF_OLD_GRANT,
          "forcedAt",
          ...remove,
          ...(replacedGrants === undefined ? ["replacedGrants"] : []),
          ...(refreshable === undefined ? ["refreshable"] : []),
          ...(changes?.account === undefined ? ["account"] : []),
        ],
        condition: `#epoch < :epoch AND #fence = :fence AND #version = :version AND ${NOT_DELETING}`,
        values: { epoch, fence, version },
      });
    },

    forgetReplaced: (id, { epoch }) =>
      change(id, { remove: ["replacedGrants"], condition: "#epoch = :epoch", values: { epoch } }),

    noteAccount: (id, { epoch, consentKey }, noted) =>
      change(id, {
        set: noted,
        condition: `#epoch = :epoch AND ${NOT_DELETING}${consentKey === undefined ? "" : " AND #consentKey = :seenKey"}`,
        values: { epoch, ...present({ seenKey: consentKey }) },
      }),
  };
}

/** Writes of the steps of a deletion. */
function deletionWrites({
  change,
  due,
}: Writes): Pick<InstanceItems, "markDeleting" | "claimDeletion" | "setDeletionDueAt"> {
  return {
    markDeleting(id, now, who) {
      const { set, remove } = due(id, now);
      return change(id, {
        set: { deleting: true, ...set },
        setOnce: { deletingSince: now },
        remove: ["ownerKey", ...remove],
        condition: who === "first" ? `${EXISTS} AND ${NOT_DELETING}` : EXISTS,
      });
    },

    claimDeletion: (id, { deletionUntil }, to) =>
      change(id, {
        set: { deletionUntil: to },
        condition: `attribute_exists(#deleting) AND ${
          deletionUntil === undefined ? "attribute_not_exists(#deletionUntil)" : "#deletionUntil = :seen"
        }`,
        ...(deletionUntil === undefined ? {} : { values: { seen: deletionUntil } }),
      }),

    setDeletionDueAt(id, to) {
      const { set, remove } = due(id, to);
      return change(id, {
        set,
        remove: ["deletionUntil", ...remove],
        condition: "attribute_exists(#deleting)",
      });
    },
  };
}

/** Writes of callers' changes and uses, and of the next due time. */
function useWrites({
  change,
  due,
}: Writes): Pick<InstanceItems, "setEnabled" | "update" | "touch" | "setDueAt"> {
  return {
    setEnabled(id, enabled, now) {
      const { set, remove } = enabled ? due(id, now) : { set: {}, remove: [] };
      return change(id, {
        updatedAt: now,
        set: { enabled, ...set },
        remove,
        condition: `${EXISTS} AND ${NOT_DELETING}`,
      });
    },

    update(id, changes, now, { newestToken, configuration } = {}) {
      const conditions = [EXISTS, NOT_DELETING];
      const sealed = configuration?.sealedConfiguration;
      if (newestToken !== undefined) conditions.push("#tokenHashes[0].#hash = :newestToken");
      if (sealed !== undefined) conditions.push("#sealedConfiguration = :sealed");
      else if (configuration !== undefined) conditions.push("attribute_not_exists(#sealedConfiguration)");
      return change(id, {
        updatedAt: now,
        set: changes,
        condition: conditions.join(" AND "),
        values: present({ newestToken, sealed }),
      });
    },

    touch(id, usedAt, dueAt) {
      const { set, remove } = dueAt === undefined ? { set: {}, remove: [] } : due(id, dueAt);
      return change(id, {
        set: { lastUsedAt: usedAt, ...set },
        remove,
        condition: `${EXISTS} AND ${NOT_DELETING}`,
      });
    },

    setDueAt(id, seen, to, owedSince, epoch) {
      const { set, remove } = due(id, to, owedSince);
      return change(id, {
        set,
        remove,
        condition: `#dueAt = :seen AND ${epoch === undefined ? "" : "#epoch = :epoch AND "}${NOT_DELETING}`,
        values: { seen, ...present({ epoch }) },
      });
    },
  };
}

/** New items of the instances table. Needs PutItem. */
export function instanceCreation({ client, tableName, shards }: InstanceTableOptions): InstanceCreation {
  return {
    create: (instance) =>
      conditionHeld(
        client.send(
          new PutCommand({
            TableName: tableName,
            Item: itemOf(instance, shards),
            ConditionExpression: "attribute_not_exists(instanceId)",
          }),
        ),
      ),
  };
}

/** Removes the items of an instance that is being deleted. Needs DeleteItem and Query. */
export function instanceRemoval(options: InstanceTableOptions): InstanceRemoval {
  const { client, tableName } = options;
  return {
    ...keptDetailsRemoval(options),
    remove: (id) =>
      conditionHeld(
        client.send(
          new DeleteCommand({
            TableName: tableName,
            Key: instanceKey(id),
            ConditionExpression: "attribute_exists(deleting)",
          }),
        ),
      ),
  };
}

/** The mark of instances whose user is suspended. Needs UpdateItem. */
export function instanceSuspension(options: InstanceTableOptions): InstanceSuspension {
  return {
    markSuspended: (id, suspended) =>
      updateItem(options, id, {
        ...(suspended ? { set: { userSuspended: true } } : { remove: ["userSuspended"] }),
        condition: EXISTS,
      }),
  };
}

/**
 * Reseals secrets with another data key, for the operator's command line; no function's bundle holds this.
 * Needs UpdateItem and Query.
 */
export function instanceResealing(options: InstanceTableOptions): InstanceResealing {
  return {
    ...keptDetailsResealing(options),
    reseal: (id, { version, fence }, grant) =>
      updateItem(options, id, {
        set: { grant },
        condition: "#version = :version AND #fence = :fence",
        values: { version, fence },
      }),

    resealConfiguration: (id, seen, sealed) =>
      updateItem(options, id, {
        set: { sealedConfiguration: sealed },
        condition: "#sealedConfiguration = :seen",
        values: { seen },
      }),

    sealClear: (id, seen, changes) =>
      updateItem(options, id, {
        set: { ...changes },
        condition:
          seen === undefined
            ? `${EXISTS} AND attribute_not_exists(#sealedConfiguration)`
            : "#sealedConfiguration = :seen",
        ...(seen === undefined ? {} : { values: { seen } }),
      }),

    resealReplaced: (id, { epoch }, replacedGrants) =>
      updateItem(options, id, {
        set: { replacedGrants },
        condition: "#epoch = :epoch AND attribute_exists(#replacedGrants)",
        values: { epoch },
      }),
  };
}
