import { announce } from "./announce.ts";
import type { Call, GrantParts } from "./grant-deps.ts";

/**
 * Disables an instance: no refresh begins and no call is served, but one that is under way still commits, else its grant
 * would be lost. Or enables it: it comes due at once, and the worker looks what it needs.
 * @returns false: there is no such instance, or it is being deleted
 */
export async function setEnabled(
  parts: Pick<GrantParts, "instances" | "announce">,
  instanceId: number,
  enabled: boolean,
  call: Pick<Call, "afterAnswer">,
): Promise<boolean> {
  const { value, reading } = await parts.instances.get(instanceId);
  if (value === undefined || value.deleting === true) return false;
  if (value.enabled === enabled) return true;
  const at = reading.dateMs;
  if (!(await parts.instances.setEnabled(instanceId, enabled, at))) return false;
  announce(parts, call, value, { name: enabled ? "instance.enabled" : "instance.disabled", at });
  return true;
}
