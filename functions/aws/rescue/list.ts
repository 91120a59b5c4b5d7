import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { RescueList } from "../../core/instances/rescue-store.ts";
import { present } from "../../core/present.ts";
import { RESCUE_PREFIX, type RescueBucketOptions } from "./record.ts";
import { s3Client } from "./s3-client.ts";

/** Lists the records in the rescue bucket, for the sweep. Needs s3:ListBucket on the prefix. */
export function rescueList({ bucket, client }: RescueBucketOptions): RescueList {
  return {
    async list({ limit = 1000, after } = {}) {
      const s3: S3Client = client ?? s3Client();
      const { Contents = [], IsTruncated } = await s3.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: RESCUE_PREFIX,
          MaxKeys: limit,
          ...present({ StartAfter: after }),
        }),
      );
      const keys = Contents.flatMap(({ Key }) => Key ?? []);
      const writtenAt = new Map(
        Contents.flatMap(({ Key, LastModified }) =>
          Key === undefined || LastModified === undefined ? [] : [[Key, LastModified.getTime()] as const],
        ),
      );
      const last = keys.at(-1);
      return { keys, writtenAt, ...(IsTruncated === true && last !== undefined ? { next: last } : {}) };
    },
  };
}
