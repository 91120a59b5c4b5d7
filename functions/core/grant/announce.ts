import { createHash, randomUUID } from "node:crypto";
import type { Instance } from "../instances/instance.ts";
import { present } from "../present.ts";
import type { Call, GrantDeps } from "./grant-deps.ts";
import type { InstanceEvent } from "./instance-event.ts";

/** The facts of an event, as the code that caused it passes them to `announce`. */
export interface EventFacts
  extends Pick<InstanceEvent, "name" | "at" | "reason" | "error" | "errorDescription" | "missingScopes"> {
  /**
   * Distinguishes it from events of the same name and instance, such as the version that died: however often it is sent, its id
   * is the same. Absent: each one sent is a new event.
   */
  readonly of?: string | number;
}

/**
 * Tells subscribers what was just written: only after the write, and only by the process that wrote it. Goes on behind the
 * caller's answer, which it neither delays nor fails; what the queue does not take is counted (GrantDeps.announce).
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
