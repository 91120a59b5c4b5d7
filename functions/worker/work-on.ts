import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { Call } from "../core/grant/grant-deps.ts";
import { withTimeout } from "../core/grant/with-timeout.ts";
import { settleAll } from "../core/settle-all.ts";
import { readMessage } from "../core/work-queue/message.ts";
import { type DispatchDeps, dispatch } from "./dispatch.ts";

/** Time for one message: a whole lease, and some time for the steps before the lease. */
const RECORD_MS = 130_000;
/** Part of the invocation's time that is reserved for the answer. */
const RESERVE_MS = 5_000;

/**
 * Handles the messages of a batch in parallel; each message has its own time limit. Only failed messages come
 * again. A refresh that the vendor postponed has not failed, because it has its own next due time. Work that
 * exceeds its time limit is still awaited, because it may hold a grant.
 */
export async function workOn(
  deps: DispatchDeps,
  records: readonly Pick<SQSRecord, "messageId" | "body">[],
  remainingMs: () => number,
): Promise<SQSBatchResponse> {
  const pending: Promise<unknown>[] = [];
  const call: Call = {
    // Ends before the answer, not at Lambda's limit, because a lost grant must be reported before the answer.
    remainingMs: () => remainingMs() - RESERVE_MS,
    afterAnswer: (work) => {
      pending.push(work);
    },
  };
  const failed: { itemIdentifier: string }[] = [];
  await Promise.all(
    records.map(async ({ messageId, body }) => {
      const work = one(deps, body, call);
      pending.push(work);
      try {
        await withTimeout(deps, Math.min(RECORD_MS, remainingMs() - RESERVE_MS), work);
      } catch (error) {
        failed.push({ itemIdentifier: messageId });
        console.log(
          JSON.stringify({
            level: "error",
            message: "a message of the work queue was not settled",
            messageId,
            reason: error instanceof Error ? `${error.name}: ${error.message}` : "unknown",
          }),
        );
      }
    }),
  );
  await withTimeout(deps, remainingMs() - RESERVE_MS, settleAll(pending)).catch(() => {});
  return { batchItemFailures: failed };
}

async function one(deps: DispatchDeps, body: string, call: Call): Promise<void> {
  await dispatch(deps, readMessage(body), call);
}
