import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/** What a DynamoDB client's calls used, as the table reports it. */
export interface Metered {
  /** Items that queries returned. */
  readonly items: number;
  /** Capacity units of reads: 4 KB each, half where the read may be stale. */
  readonly readUnits: number;
  /** Capacity units of writes on the tables: 1 KB each. dynalite does not count the writes to the indexes. */
  readonly writeUnits: number;
}

interface Output {
  readonly Items?: readonly unknown[];
  readonly ConsumedCapacity?: { readonly CapacityUnits?: number };
}

/**
 * Makes every call of a client report what it consumed. The number of calls alone would not show a query that reads the whole
 * index in one page.
 */
export function meter(client: DynamoDBDocumentClient): { take(): Metered } {
  let seen = { items: 0, readUnits: 0, writeUnits: 0 };
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: "TOTAL" } });
        const { Items = [], ConsumedCapacity } = result.output as Output;
        const units = ConsumedCapacity?.CapacityUnits;
        if (units === undefined) throw new Error(`${commandName} did not say what it consumed`);
        const isRead = /^(Get|Query)/.test(commandName);
        seen = {
          items: seen.items + Items.length,
          readUnits: seen.readUnits + (isRead ? units : 0),
          writeUnits: seen.writeUnits + (isRead ? 0 : units),
        };
        return result;
      },
    { step: "initialize", name: "meter" },
  );
  return {
    take() {
      const taken = seen;
      seen = { items: 0, readUnits: 0, writeUnits: 0 };
      return taken;
    },
  };
}
