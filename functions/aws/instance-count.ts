import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { present } from "../core/present.ts";
import type { InstanceTableOptions } from "./instance-change.ts";

/** Scans side by side: a million instances are counted in about ten seconds. */
const SEGMENTS = 4;
/** A count that takes longer is given up: whoever asks holds a lease, and asks again. */
const TIMEOUT_MS = 25_000;

/**
 * How many instances of a connector there are, of all organizations, those that are being deleted included. Reads the whole index
 * `organization`, about 200 bytes for each instance, so it is for what is asked for rarely. Takes Scan on that index.
 * @throws it takes longer than 25 s
 */
export function countInstances({
  client,
  tableName,
}: Pick<InstanceTableOptions, "client" | "tableName">): (connector: string) => Promise<number> {
  async function countSegment(connector: string, segment: number, abortSignal: AbortSignal): Promise<number> {
    let count = 0;
    let after: Record<string, unknown> | undefined;
    do {
      const { Count = 0, LastEvaluatedKey } = await client.send(
        new ScanCommand({
          TableName: tableName,
          IndexName: "organization",
          Select: "COUNT",
          Segment: segment,
          TotalSegments: SEGMENTS,
          FilterExpression: "connector = :connector",
          ExpressionAttributeValues: { ":connector": connector },
          ...present({ ExclusiveStartKey: after }),
        }),
        { abortSignal },
      );
      count += Count;
      after = LastEvaluatedKey;
    } while (after !== undefined);
    return count;
  }

  return async (connector) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const segments = Array.from({ length: SEGMENTS }, (_, segment) =>
      countSegment(connector, segment, signal),
    );
    const counts = await Promise.all(segments);
    return counts.reduce((sum, each) => sum + each, 0);
  };
}
