import type { InstanceResealing } from "../core/instances/instance-store.ts";
import { type InstanceTableOptions, updateItem } from "./instance-change.ts";

/** Secrets under another data key, for the operator's command line; no function's bundle holds this. Takes UpdateItem. */
export function instanceResealing(options: InstanceTableOptions): InstanceResealing {
  return {
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
            ? "attribute_exists(#instanceId) AND attribute_not_exists(#sealedConfiguration)"
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
