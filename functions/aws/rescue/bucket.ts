import type { RescueRecords } from "../../core/instances/rescue-store.ts";
import { RESCUE_PREFIX, type RescueBucketOptions, readRecord, rescueKey, writeRecord } from "./record.ts";

/**
 * The rescue bucket: grants that could not be written to the table. It is rarely used, so the S3 client is
 * loaded at the first use and adds nothing to a cold start. Needs GetObject and PutObject, and ListBucket on
 * the prefix, to look up a key.
 */
export function rescueRecords({ bucket, client }: RescueBucketOptions): RescueRecords {
  const load = () => import("./objects.ts");

  async function read(key: string): ReturnType<RescueRecords["read"]> {
    const { readObject, s3Client } = await load();
    const found = await readObject(client ?? s3Client(), bucket, key);
    return found === undefined ? undefined : readRecord(found.text, found.writtenAt);
  }

  return {
    read,
    get: (instanceId, fence) => read(`${RESCUE_PREFIX}${instanceId}/${fence}`),
    async put(record) {
      const { writeObject, s3Client } = await load();
      await writeObject(client ?? s3Client(), bucket, rescueKey(record), writeRecord(record));
    },
  };
}
