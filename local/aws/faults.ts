import type { CommonErrors } from "./service.ts";
import { AwsError } from "./service.ts";
import type { AwsFault } from "./types.ts";

/** Faults that tests have asked for, oldest first. Nothing is random: in each run the same calls fail. */
export interface Faults {
  add(fault: AwsFault): void;
  clear(): void;
  /** Returns this call's fault if there is one, and lowers the fault's count by one. */
  take(call: { service: string; action: string; principal: string }): AwsFault | undefined;
}

export function faults(): Faults {
  let pending: { fault: AwsFault; skip: number; left: number }[] = [];
  return {
    add(fault) {
      if (
        fault.status === undefined &&
        fault.code === undefined &&
        fault.delayMs === undefined &&
        fault.hold === undefined &&
        fault.holdAnswer === undefined &&
        fault.reset === undefined
      ) {
        throw new Error("a fault needs one of status, code, delayMs, hold, holdAnswer and reset");
      }
      pending.push({ fault, skip: fault.skip ?? 0, left: fault.count ?? 1 });
    },
    clear() {
      pending = [];
    },
    take(call) {
      for (const entry of pending) {
        if (!matches(entry.fault, call)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        entry.left -= 1;
        if (entry.left <= 0) pending = pending.filter((other) => other !== entry);
        return entry.fault;
      }
      return undefined;
    },
  };
}

function matches(fault: AwsFault, call: { service: string; action: string; principal: string }): boolean {
  if (fault.service !== call.service) return false;
  if (fault.principal !== undefined && fault.principal !== call.principal) return false;
  return (
    fault.action === undefined ||
    fault.action === call.action ||
    `${call.service}:${fault.action}` === call.action
  );
}

/** The error that a fault asks for; what the fault leaves open has the service's usual status and code. */
export function faultError(fault: AwsFault, errors: CommonErrors): AwsError | undefined {
  if (fault.status === undefined && fault.code === undefined) return undefined;
  const [status, code] = (fault.status ?? 400) >= 500 ? errors.internal : errors.throttled;
  return new AwsError(
    fault.status ?? (fault.code === undefined || fault.code === code ? status : 400),
    fault.code ?? code,
    "a test asked for this failure",
  );
}
