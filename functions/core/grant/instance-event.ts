/** What apps and operators can subscribe to. docs/events.md says when each comes, and how often. */
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

/** Something that happened to an instance, and was written before it is told. Never a secret. */
export interface InstanceEvent {
  readonly name: (typeof instanceEventNames)[number];
  /** The same id each time this event is sent: subscribers use it to drop duplicates. */
  readonly id: string;
  /** Store time, epoch milliseconds. */
  readonly at: number;
  readonly organizationId: string;
  /** Absent where the instance was gone before its last revocation was given up. */
  readonly userId?: string;
  readonly instanceId: number;
  readonly connector: string;
  /** A stable code, where there is a reason. */
  readonly reason?: string;
  /** The vendor's own words, where it gave any: bounded, secrets and control characters cut out. */
  readonly error?: string;
  readonly errorDescription?: string;
  /** What was asked for and not granted. */
  readonly missingScopes?: readonly string[];
}
