import type { Connector } from "../../../connectors/define-connector.ts";
import { refuseTooLarge, withoutUndeclared } from "../../instances/fit-grant.ts";
import type { Grant } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { Call, GrantDeps } from "../grant-deps.ts";
import { backOff } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";

/**
 * Neither store took a grant before the function's end: it is lost, unless a write whose answer was lost did
 * happen.
 */
class GrantLost extends Error {
  constructor(instanceId: number) {
    super(`neither the table nor the rescue bucket took a new grant of instance ${instanceId}`);
    this.name = "GrantLost";
  }
}

type Deps = Pick<GrantDeps, "sleep" | "timing" | "random" | "rescue" | "monotonic">;

/**
 * Stores a grant that a vendor just gave: tries the table for 10 s, or else the rescue bucket for 10 s, in
 * turns until the function ends. Does not give up before that while the grant is stored nowhere.
 * @param write the conditional write; any answer of it ends the tries
 * @param record makes the rescue record; called only when the table fails
 * @returns the answer of `write`, or `rescued`: the rescue worker will do what is left, so release nothing
 * @throws {StoreRefused} the table will never take it. Thrown at once and without a rescue record, because the
 *   record could never be written to the table
 * @throws {GrantLost}
 */
export async function storeOrRescue<T>(
  deps: Deps,
  call: Pick<Call, "remainingMs">,
  instanceId: number,
  write: () => Promise<T>,
  record: () => Promise<RescueRecord>,
): Promise<T | "rescued"> {
  for (;;) {
    const written = await tryFor(deps, call, write);
    if (written !== undefined) return written.value;
    if (await isRescued(deps, call, record)) return "rescued";
    if (call.remainingMs() < deps.timing.stopTryingMs) throw new GrantLost(instanceId);
  }
}

/**
 * Stores a grant. If the table refuses it for good, tries again without the values that its connector does not
 * declare.
 * @param keep stores one form of the grant
 * @returns the grant as it was stored, and the answer of `keep`
 * @throws {StoreRefused} the smaller form is refused too: the grant must end
 */
export async function storeWhatItCan<T>(
  connector: Connector,
  grant: Grant,
  keep: (grant: Grant) => Promise<T>,
): Promise<{ readonly kept: T; readonly grant: Grant }> {
  const attempt = async (each: Grant) => {
    refuseTooLarge(each);
    return { kept: await keep(each), grant: each };
  };
  try {
    return await attempt(grant);
  } catch (error) {
    const smaller = error instanceof StoreRefused ? withoutUndeclared(connector, grant) : undefined;
    if (smaller === undefined) throw error;
    return await attempt(smaller);
  }
}

/**
 * Revokes a grant that is not needed any more, or writes a record to do this later; in turns until the function
 * ends.
 * @param revoke one try at the vendor
 * @param record makes the rescue record; called only when the vendor does not take the revocation
 * @throws {GrantLost} neither was possible: the grant lives on at the vendor
 */
export async function revokeOrDefer(
  deps: Deps,
  call: Pick<Call, "remainingMs">,
  instanceId: number,
  revoke: () => Promise<boolean>,
  record: () => Promise<RescueRecord>,
): Promise<"revoked" | "owed"> {
  for (;;) {
    if (await revoke()) return "revoked";
    if (await isRescued(deps, call, record)) return "owed";
    if (call.remainingMs() < deps.timing.stopTryingMs) throw new GrantLost(instanceId);
  }
}

/** Whether the bucket took the record. A bucket that refuses it for good counts as one that does not answer. */
async function isRescued(
  deps: Deps,
  call: Pick<Call, "remainingMs">,
  record: () => Promise<RescueRecord>,
): Promise<boolean> {
  try {
    return (await tryFor(deps, call, async () => deps.rescue.put(await record()))) !== undefined;
  } catch {
    await deps.sleep(deps.timing.storePauseMaxMs);
    return false;
  }
}

/**
 * Tries one store for at most `storeTryMs`, with pauses after failures. `undefined`: the store did not take it.
 * @throws {StoreRefused} the store will never take it
 */
async function tryFor<T>(
  deps: Deps,
  call: Pick<Call, "remainingMs">,
  work: () => Promise<T>,
): Promise<{ value: T } | undefined> {
  const end = deps.monotonic() + Math.min(deps.timing.storeTryMs, call.remainingMs());
  for (let failures = 1; ; failures++) {
    try {
      return { value: await withTimeout(deps, end - deps.monotonic(), work()) };
    } catch (error) {
      if (error instanceof StoreRefused) throw error;
      const pause = backOff(deps.timing.storePauseMs, deps.timing.storePauseMaxMs, failures, deps.random());
      if (deps.monotonic() + pause >= end) return undefined;
      await deps.sleep(pause);
    }
  }
}
