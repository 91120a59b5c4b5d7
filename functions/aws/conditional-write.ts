import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { asStoreRefused } from "./store-refusal.ts";

/**
 * Returns whether a conditional write was done; `false`: its condition did not hold. Throws any other
 * failure.
 * @throws {StoreRefused} the table will never accept the write
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
