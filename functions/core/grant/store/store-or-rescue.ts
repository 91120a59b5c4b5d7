import type { Connector } from "../../../connectors/define-connector.ts";
import { refuseTooLarge, withoutUndeclared } from "../../instances/fit-grant.ts";
import type { Grant } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { Call, GrantDeps } from "../grant-deps.ts";
import { backOff } from "../timing.ts";
import { withTimeout } from "../with-timeout.ts";

/** Neither store took a grant before the function's end: it is lost, unless a write whose answer was lost arrived. */
class GrantLost extends Error {
  constructor(instanceId: number) {
    super(`neither the table nor the rescue bucket took a new grant of instance ${instanceId}`);
    this.name = "GrantLost";
  }
}

type Deps = Pick<GrantDeps, "sleep" | "timing" | "random" | "rescue" | "monotonic">;

/**
 * Brings a grant that a vendor just gave to safety: the table for 10 s, else the rescue bucket for 10 s, in turns until
 * the function ends. Does not give up before that while the grant is stored nowhere.
 * @param write the conditional write; its answer, whatever it is, ends the matter
 * @param record what to lay into the bucket; asked for only when the table fails
 * @returns what `write` answered, or `rescued`: the rescue worker will do what is left, so release nothing
 * @throws {StoreRefused} the table will never take it: at once, and without a rescue record, which could never be written to the table
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
 * Keeps a grant; where the table refuses it for good, once more without what its connector does not declare.
 * @param keep brings one form of the grant to safety
 * @returns the grant as it was kept, and what `keep` answered
 * @throws {StoreRefused} not even the smaller form: the grant must end
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
 * Revokes a grant that is not needed any more, or writes down that this is still to do; in turns until the function ends.
 * @param revoke one try at the vendor
 * @param record what to lay into the bucket; asked for only when the vendor does not take it
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

/** The bucket took the record. A bucket that refuses it for good counts as one that does not answer. */
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

/** One store, again and again while it fails at once, for at most `storeTryMs`. `undefined`: it did not take it. @throws {StoreRefused} it never will */
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
