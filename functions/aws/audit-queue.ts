import type { SQSClient } from "@aws-sdk/client-sqs";
import type { AuditTrail } from "../core/audit.ts";

/**
 * Time limit for sending an event, because a caller waits. If the limit passes, the event is written to the
 * function's own log.
 */
const SEND_TIMEOUT_MS = 2000;

/**
 * The queue of audit events; a pipe carries them into the audit log (lib/constructs/audit-trail.ts). Needs
 * sqs:SendMessage. The SQS client is loaded at the first event.
 */
export function auditQueue({ queueUrl, client }: { queueUrl: string; client?: SQSClient }): AuditTrail {
  return {
    async record(event) {
      const { sendMessages } = await import("./send-messages.ts");
      const entry = { Id: "0", MessageBody: JSON.stringify(event) };
      const sent = await sendMessages(queueUrl, [entry], client, AbortSignal.timeout(SEND_TIMEOUT_MS));
      if (sent.length === 0) throw new Error("the audit queue did not take an event");
    },
  };
}
