import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { asStoreRefused } from "./store-refusal.ts";

/**
 * Whether a conditional write was done: `false` when its condition refused it. Any other failure is thrown.
 * @throws {StoreRefused} the table will never take it
 */
export async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw asStoreRefused("table", error);
  }
}
