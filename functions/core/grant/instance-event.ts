/** The events that apps and operators can subscribe to. docs/events.md says when each is sent, and how often. */
export const instanceEventNames = [
  "instance.created",
  "instance.reauthenticated",
  "instance.scopes_missing",
  "instance.needs_reauth",
  "instance.revived",
  "instance.refresh_failed",
  "instance.refresh_recovered",
  "instance.grant_lost",
  "instance.disabled",
  "instance.enabled",
  "instance.deleted",
  "instance.revocation_failed",
] as const;

/** A change of an instance; sent only after it is written. Never contains a secret. */
export interface InstanceEvent {
  readonly name: (typeof instanceEventNames)[number];
  /** The same id each time this event is sent: subscribers use it to drop duplicates. */
  readonly id: string;
  /** Store time, epoch milliseconds. */
  readonly at: number;
  readonly organizationId: string;
  /** Absent if the instance was deleted before its last revocation was given up. */
  readonly userId?: string;
  readonly instanceId: number;
  readonly connector: string;
  /** A stable code, where there is a reason. */
  readonly reason?: string;
  /** The vendor's own words, if any: bounded, secrets and control characters cut out. */
  readonly error?: string;
  readonly errorDescription?: string;
  /** The scopes that were asked for and not granted. */
  readonly missingScopes?: readonly string[];
}
