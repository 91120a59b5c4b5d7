import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { RescueRemoval } from "../../core/instances/rescue-store.ts";
import type { RescueBucketOptions } from "./record.ts";
import { s3Client } from "./s3-client.ts";

/** Deletes rescue records, for the worker; no other function deletes them. Needs s3:DeleteObject. */
export function rescueRemoval({ bucket, client }: RescueBucketOptions): RescueRemoval {
  return {
    async remove(key) {
      await (client ?? s3Client()).send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
  };
}
