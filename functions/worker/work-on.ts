import type { SQSBatchResponse, SQSRecord } from "aws-lambda";
import type { Call } from "../core/grant/grant-deps.ts";
import { withTimeout } from "../core/grant/with-timeout.ts";
import { settleAll } from "../core/settle-all.ts";
import { readMessage } from "../core/work-queue/message.ts";
import { type DispatchDeps, dispatch } from "./dispatch.ts";

/** Time for one message: a whole lease, and some time for the steps before the lease. */
const RECORD_MS = 130_000;
/** Left of the invocation for the answer. */
const RESERVE_MS = 5_000;

/**
 * Works on the messages of a batch side by side, each with a time of its own. Only failed messages come again; a refresh that
 * the vendor put off is no failure, since it has its own next time. Work that runs longer than its time is still awaited: it
 * may hold a grant.
 */
export async function workOn(
  deps: DispatchDeps,
  records: readonly Pick<SQSRecord, "messageId" | "body">[],
  remainingMs: () => number,
): Promise<SQSBatchResponse> {
  const pending: Promise<unknown>[] = [];
  const call: Call = {
    // Ends before our answer, not at Lambda's limit: a lost grant must be reported by then.
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
