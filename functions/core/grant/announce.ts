import { createHash, randomUUID } from "node:crypto";
import type { Instance } from "../instances/instance.ts";
import { present } from "../present.ts";
import type { Call, GrantDeps } from "./grant-deps.ts";
import type { InstanceEvent } from "./instance-event.ts";

/** The facts of an event, as the code that caused it passes them to `announce`. */
export interface EventFacts
  extends Pick<InstanceEvent, "name" | "at" | "reason" | "error" | "errorDescription" | "missingScopes"> {
  /**
   * Distinguishes the event from others of the same name and instance, for example the version that died. An
   * event that is sent again has the same id. Absent: each sent event is a new one.
   */
  readonly of?: string | number;
}

/**
 * Sends an event about what was just written: only after the write, and only from the process that wrote it.
 * Runs after the caller's answer and neither delays nor fails it. An event that the queue does not take is
 * counted (GrantDeps.announce).
 */
export function announce(
  deps: Pick<GrantDeps, "announce">,
  call: Pick<Call, "afterAnswer">,
  subject: Pick<Instance, "id" | "organizationId" | "connector"> & Partial<Pick<Instance, "userId">>,
  { of, ...happening }: EventFacts,
): void {
  const { id: instanceId, organizationId, userId, connector } = subject;
  const event: InstanceEvent = {
    ...happening,
    id: of === undefined ? randomUUID() : idOf(happening.name, instanceId, of),
    organizationId,
    ...present({ userId }),
    instanceId,
    connector,
  };
  call.afterAnswer(deps.announce(event));
}

function idOf(name: string, instanceId: number, of: string | number): string {
  return createHash("sha256")
    .update(JSON.stringify([name, instanceId, of]))
    .digest("base64url");
}
