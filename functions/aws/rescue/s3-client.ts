import { S3Client } from "@aws-sdk/client-s3";

/** One client of a process, made when it is first needed. Two attempts stay under the 10 s that one try of the bucket may take. */
let client: S3Client | undefined;

export function s3Client(): S3Client {
  client ??= new S3Client({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 3500, throwOnRequestTimeout: true },
    // An endpoint of one's own (the local platform) has no host name for each bucket.
    forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined,
  });
  return client;
}
