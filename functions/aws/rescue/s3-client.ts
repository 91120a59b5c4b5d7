import { S3Client } from "@aws-sdk/client-s3";

/**
 * The process's one client, made at its first use. Its two attempts together stay below the 10 s limit of one
 * use of the bucket.
 */
let client: S3Client | undefined;

export function s3Client(): S3Client {
  client ??= new S3Client({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 3500, throwOnRequestTimeout: true },
    // A custom endpoint (the local platform) has no host name for each bucket.
    forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined,
  });
  return client;
}
