import type { GrantDeps } from "../core/grant/grant-deps.ts";
import type { WorkQueue } from "../core/work-queue/work.ts";
import { eventLost } from "./outcome-metrics.ts";

/** One group for all events: in a flood the events wait, not the refreshes. */
const GROUP = "events";

/**
 * Hands events to the work queue, whose worker puts them on the bus (docs/adr/0014-events.md): a function that announces an
 * event needs only the client and permission of the work queue, which it has already.
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
