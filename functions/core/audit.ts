import { randomUUID } from "node:crypto";

/** Who did what to which connection or tenant. Ids and names of fields, never a value: nothing in it is a secret. */
export interface AuditEvent {
  /** An event may be delivered twice; then both have one id. */
  readonly id: string;
  /** ISO 8601, by the clock of whoever acted. */
  readonly at: string;
  /** What was asked for: `instance.create`, `organization.suspend`, … (docs/operations/audit.md lists them). */
  readonly action: string;
  /** `done`, or the error's code. */
  readonly outcome: string;
  /** Whose credentials: a user's secret, an instance's token, none (a browser in the hosted flow), the operator's. */
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

/** Where audit events go. Its writers can neither read nor remove events. */
export interface AuditTrail {
  /** @throws whatever keeps the event from being safe */
  record(event: AuditEvent): Promise<void>;
}

export function auditEvent(event: Omit<AuditEvent, "id" | "at">): AuditEvent {
  return { id: randomUUID(), at: new Date().toISOString(), ...event };
}
