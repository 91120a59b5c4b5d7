import type { EventBridgeClient, PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import type { WorkerDeps } from "../core/grant/grant-deps.ts";
import type { InstanceEvent } from "../core/grant/instance-event.ts";

export interface EventBusOptions {
  readonly busName: string;
  /** Another client than the environment's, for tests. */
  readonly client?: EventBridgeClient;
}

/** Version of `detail`. While the version stays the same, fields are only added; subscribers may rely on that. */
const VERSION = "1";

/** The event bus of the stage. The EventBridge client is loaded at the first event. */
export function eventBus({ busName, client }: EventBusOptions): WorkerDeps["publish"] {
  return async (event) => {
    const { putEvent } = await import("./put-event.ts");
    await putEvent(entryOf(busName, event), client);
  };
}

/** The event in the form that docs/events.md describes. */
function entryOf(busName: string, { name, at, ...rest }: InstanceEvent): PutEventsRequestEntry {
  const time = new Date(at);
  return {
    EventBusName: busName,
    Source: "linkspan",
    DetailType: name,
    Time: time,
    Detail: JSON.stringify({ version: VERSION, ...rest, at: time.toISOString() }),
  };
}
