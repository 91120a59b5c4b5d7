import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";

// Loaded only when the rescue bucket is needed (rescue-bucket.ts).

export { s3Client } from "./s3-client.ts";

/**
 * The text of an object; `undefined` when there is none of this key. Asked of the listing, which is strongly consistent
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel): a GetObject would answer 403 for
 * a key that is not there, because s3:ListBucket is granted on the prefix alone, and a 403 is not "nothing there".
 */
export async function readObject(client: S3Client, bucket: string, key: string): Promise<string | undefined> {
  // The key itself sorts before all that begin with it.
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }),
  );
  if (Contents[0]?.Key !== key) return undefined;
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await Body?.transformToString()) ?? "";
}

export async function writeObject(
  client: S3Client,
  bucket: string,
  key: string,
  text: string,
): Promise<void> {
  await client.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: "application/json" }),
  );
}
