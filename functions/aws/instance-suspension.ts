import type { InstanceSuspension } from "../core/instances/instance-store.ts";
import { type InstanceTableOptions, updateItem } from "./instance-change.ts";

/** The mark of instances whose user is suspended. Takes UpdateItem. */
export function instanceSuspension(options: InstanceTableOptions): InstanceSuspension {
  return {
    markSuspended: (id, suspended) =>
      updateItem(options, id, {
        ...(suspended ? { set: { userSuspended: true } } : { remove: ["userSuspended"] }),
        condition: "attribute_exists(#instanceId)",
      }),
  };
}
