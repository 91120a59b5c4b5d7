import { randomUUID } from "node:crypto";

/**
 * An action of a caller on a connection or tenant. Contains ids and names of fields, never a value, so there is
 * no secret in it.
 */
export interface AuditEvent {
  /** An event may be delivered twice; then both have the same id. */
  readonly id: string;
  /** ISO 8601, by the clock of the process that acted. */
  readonly at: string;
  /** The requested action: `instance.create`, `organization.suspend`, … (docs/operations/audit.md lists them). */
  readonly action: string;
  /** `done`, or the error's code. */
  readonly outcome: string;
  /**
   * The credentials used: a user's secret, an instance's token, none (a browser in the hosted flow), the
   * operator's.
   */
  readonly by: "user" | "instance" | "browser" | "operator";
  readonly requestId?: string;
  readonly sourceIp?: string;
  readonly organizationId?: string;
  readonly userId?: string;
  readonly instanceId?: number;
  readonly connector?: string;
  /** Registered app. */
  readonly appId?: string;
  /** Names of the fields that were changed. */
  readonly changed?: readonly string[];
  /** Operator's user name as the operator's machine reports it. It is not verified; CloudTrail records the AWS identity. */
  readonly operator?: string;
}

/** The store of audit events. Its writers can neither read nor remove events. */
export interface AuditTrail {
  /** @throws the event is not stored safely */
  record(event: AuditEvent): Promise<void>;
}

export function auditEvent(event: Omit<AuditEvent, "id" | "at">): AuditEvent {
  return { id: randomUUID(), at: new Date().toISOString(), ...event };
}
