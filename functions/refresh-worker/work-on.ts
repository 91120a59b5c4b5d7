import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import { readMessage } from "../aws/refresh-queue.ts";
import type { Call, WorkerParts } from "../core/grant/grant-parts.ts";
import { within } from "../core/grant/patience.ts";
import { settlePending } from "../core/grant/pending/settle-pending.ts";
import { RevocationOwed, settleRescueRecord } from "../core/grant/rescue/rescue-worker.ts";
import { refreshDue } from "../core/grant/schedule/refresh-due.ts";
import { settleAll } from "../core/settle-all.ts";
import type { SuspensionWork } from "../core/tenants/mark-instances.ts";

/** What the worker has beside the grants' life. */
export interface OtherWork {
  /** Marks a suspended user's instances, or takes the marks off. */
  readonly markInstances?: (work: SuspensionWork) => Promise<void>;
}

/** One message's work: a whole lease, and a little for what comes before it. */
const RECORD_MS = 130_000;
/** Left of the invocation for the answer. */
const RESERVE_MS = 5_000;

/**
 * Works on the messages of a batch side by side, each with a time of its own. Only those that failed come again; a refresh that
 * the vendor put off is no failure, it has its own next time. What goes on after its time is awaited: it may hold a grant.
 */
export async function workOn(
  parts: WorkerParts & OtherWork,
  records: readonly Pick<SQSRecord, "messageId" | "body">[],
  remainingMs: () => number,
): Promise<SQSBatchResponse> {
  const pending: Promise<unknown>[] = [];
  const call: Call = {
    // Until we answer, not until Lambda ends us: what still holds a grant then must have said that it is lost.
    remainingMs: () => remainingMs() - RESERVE_MS,
    afterAnswer: (work) => {
      pending.push(work);
    },
  };
  const failed: { itemIdentifier: string }[] = [];
  await Promise.all(
    records.map(async ({ messageId, body }) => {
      const work = one(parts, body, call);
      pending.push(work);
      try {
        await within(parts, Math.min(RECORD_MS, remainingMs() - RESERVE_MS), work);
      } catch (error) {
        failed.push({ itemIdentifier: messageId });
        console.log(
          JSON.stringify({
            level: "error",
            message: "a message of the refresh queue was not settled",
            messageId,
            reason: error instanceof Error ? `${error.name}: ${error.message}` : "unknown",
          }),
        );
      }
    }),
  );
  await within(parts, remainingMs() - RESERVE_MS, settleAll(pending)).catch(() => {});
  return { batchItemFailures: failed };
}

async function one(parts: WorkerParts & OtherWork, body: string, call: Call): Promise<void> {
  const message = readMessage(body);
  if (message.kind === "event") return await parts.publish(message.event);
  if (message.kind === "rescue") return await settle(parts, message.key, call);
  if (message.kind === "pending") return await settlePending(parts, message, call);
  if (message.kind === "suspension") {
    if (parts.markInstances === undefined) throw new Error("nobody here marks a suspended user's instances");
    return await parts.markInstances(message);
  }
  await refreshDue(parts, message, call);
}

/** A revocation that the vendor does not take yet is no failure of the message: the sweep sends it again, in its time. */
async function settle(parts: WorkerParts, key: string, call: Call): Promise<void> {
  try {
    await settleRescueRecord(parts, key, call);
  } catch (error) {
    if (!(error instanceof RevocationOwed)) throw error;
    console.log(JSON.stringify({ level: "info", message: error.message, key }));
  }
}
