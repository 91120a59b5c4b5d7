import type { Instance } from "../instances/instance.ts";
import { announce } from "./announce.ts";
import type { Call, GrantDeps } from "./grant-deps.ts";

/**
 * Disables an instance: no refresh begins and no call is served. A refresh that is under way still commits, or
 * else its grant would be lost. Or enables an instance: it comes due at once, and the worker decides what it
 * needs.
 * @returns the instance as it is now; undefined: there is no such instance, or it is being deleted
 */
export async function setEnabled(
  deps: Pick<GrantDeps, "instances" | "announce">,
  instanceId: number,
  enabled: boolean,
  call: Pick<Call, "afterAnswer">,
): Promise<Instance | undefined> {
  const { value, reading } = await deps.instances.get(instanceId);
  if (value === undefined || value.deleting === true) return undefined;
  if (value.enabled === enabled) return value;
  // Not earlier than the last change: that would take the table a second write (`updatedAt` never runs backwards).
  const at = Math.max(reading.dateMs, value.updatedAt);
  if (!(await deps.instances.setEnabled(instanceId, enabled, at))) return undefined;
  announce(deps, call, value, { name: enabled ? "instance.enabled" : "instance.disabled", at });
  return { ...value, enabled, updatedAt: at };
}
