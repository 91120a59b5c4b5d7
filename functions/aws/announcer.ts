import type { GrantDeps } from "../core/grant/grant-deps.ts";
import type { WorkQueue } from "../core/work-queue/work.ts";
import { eventLost } from "./outcome-metrics.ts";

/** One message group for all events, so that a flood of events delays events only, not refreshes. */
const GROUP = "events";

/**
 * Sends events to the work queue; the worker puts them on the bus (docs/adr/0014-events.md). So a function
 * that announces an event needs only the client and the permission of the work queue, which it has already.
 */
export function announcer(queue: () => Pick<WorkQueue, "send">): GrantDeps["announce"] {
  return async (event) => {
    try {
      const [sent] = await queue().send([{ kind: "event", event, group: GROUP }]);
      if (sent !== true) eventLost(event);
    } catch {
      eventLost(event);
    }
  };
}
