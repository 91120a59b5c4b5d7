import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { workerDeps } from "../aws/composition.ts";
import { workOn } from "./work-on.ts";

/** Handles the messages of the work queue; see work-on.ts. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  return await workOn(workerDeps(), event.Records, () => context.getRemainingTimeInMillis());
}
