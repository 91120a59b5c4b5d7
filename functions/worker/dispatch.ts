import type { Call, WorkerDeps } from "../core/grant/grant-deps.ts";
import { settlePending } from "../core/grant/pending/settle-pending.ts";
import { RevocationOwed, settleRescueRecord } from "../core/grant/rescue/rescue-worker.ts";
import { refreshDue } from "../core/grant/schedule/refresh-due.ts";
import type { SuspensionWork } from "../core/tenants/mark-instances.ts";
import type { Work, WorkKind } from "../core/work-queue/work.ts";

/** The worker's dependencies, and the marking of suspended users' instances. */
export interface DispatchDeps extends WorkerDeps {
  /** Marks a suspended user's instances, or removes the marks. */
  readonly markInstances?: (work: SuspensionWork) => Promise<void>;
}

type Handler<Kind extends WorkKind> = (deps: DispatchDeps, work: Work<Kind>, call: Call) => Promise<void>;

const handlers: { readonly [Kind in WorkKind]: Handler<Kind> } = {
  refresh: refreshDue,
  // Handled as a refresh: `refreshDue` reads the item and sees that it is being deleted. (The sweep also sends a refresh for
  // a due deletion.)
  delete: (deps, work, call) => refreshDue(deps, { ...work, cause: "schedule" }, call),
  pending: settlePending,
  async rescue(deps, { key }, call) {
    try {
      await settleRescueRecord(deps, key, call);
    } catch (error) {
      // If the vendor does not accept the revocation yet, the message has not failed: the sweep sends it
      // again when it is due.
      if (!(error instanceof RevocationOwed)) throw error;
      console.log(JSON.stringify({ level: "info", message: error.message, key }));
    }
  },
  async suspension(deps, work) {
    if (deps.markInstances === undefined) throw new Error("this process cannot mark instances");
    await deps.markInstances(work);
  },
  event: (deps, { event }) => deps.publish(event),
};

/** Does the work of one message. @throws the work is not done: its message must come again */
export async function dispatch<Kind extends WorkKind>(
  deps: DispatchDeps,
  work: Work<Kind>,
  call: Call,
): Promise<void> {
  const handler: Handler<Kind> = handlers[work.kind];
  await handler(deps, work, call);
}
