import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { asStoreRefused } from "../store-refusal.ts";

// Loaded only when the rescue bucket is needed (bucket.ts).

export { s3Client } from "./s3-client.ts";

/** An object, and the time when it was written: epoch milliseconds by S3's clock. */
export interface FoundObject {
  readonly text: string;
  readonly writtenAt: number | undefined;
}

/**
 * Reads an object; `undefined`: no object has this key. Looks the key up in the listing first, which is
 * strongly consistent (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel):
 * s3:ListBucket is granted on the prefix only, so GetObject would answer 403 for a missing key, and a 403
 * does not prove that the object is missing.
 */
export async function readObject(
  client: S3Client,
  bucket: string,
  key: string,
): Promise<FoundObject | undefined> {
  // The key sorts before all longer keys that begin with it, so one result is enough.
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }),
  );
  if (Contents[0]?.Key !== key) return undefined;
  const { Body, LastModified } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return { text: (await Body?.transformToString()) ?? "", writtenAt: LastModified?.getTime() };
}

/** @throws {StoreRefused} the bucket will never accept the object */
export async function writeObject(
  client: S3Client,
  bucket: string,
  key: string,
  text: string,
): Promise<void> {
  const put = new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: "application/json" });
  try {
    await client.send(put);
  } catch (error) {
    throw asStoreRefused("bucket", error);
  }
}
