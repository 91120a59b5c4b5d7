import { createHash } from "node:crypto";

/**
 * Short hash of connector and client: the queue's MessageGroupId, so that one vendor's backlog does not delay
 * others. The client's id itself is not sent.
 */
export function refreshGroup(connector: string, clientId: string): string {
  return createHash("sha256")
    .update(JSON.stringify([connector, clientId]))
    .digest("base64url")
    .slice(0, 16);
}
