import { randomUUID } from "node:crypto";
import { mkdir, utimes } from "node:fs/promises";
import { createRequire } from "node:module";
import { finished } from "node:stream/promises";
import type { Clock } from "../clock.ts";
import {
  type AccessNeed,
  type AwsAnswer,
  AwsError,
  type AwsOperation,
  type AwsRequest,
  type AwsService,
  type Exchange,
  escapeXml,
} from "./service.ts";
import type { AwsBucket } from "./types.ts";

const require = createRequire(import.meta.url);
const S3rver = require("@20minutes/s3rver") as new (options: {
  directory: string;
  silent: boolean;
  vhostBuckets: boolean;
  configureBuckets: { name: string }[];
}) => S3rverServer;

interface S3rverServer {
  readonly store: {
    existsObject(bucket: string, key: string): Promise<boolean>;
    putBucket(name: string): Promise<unknown>;
    putObject(object: { readonly bucket: string; readonly key: string }): Promise<unknown>;
    getResourcePath(bucket: string, key: string, resource: "object"): string;
  };
  readonly logger: { close(): void };
  callback(): (request: Exchange["request"], response: Exchange["response"]) => Promise<void>;
}

/** The bucket, key and query of a request. */
interface Target {
  readonly bucket: string;
  /** Undefined: the bucket itself. */
  readonly key: string | undefined;
  readonly query: URLSearchParams;
}

/**
 * S3, path style, by s3rver on a folder; s3rver runs in process, so that requests reach it only through the
 * front door. Operations in which s3rver differs from S3 are refused:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
export async function localS3(
  folder: string,
  buckets: readonly AwsBucket[],
  clock: Clock,
): Promise<AwsService> {
  // s3rver would make a folder that all users can read.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const server = new S3rver({ directory: folder, silent: true, vhostBuckets: false, configureBuckets: [] });
  for (const bucket of buckets) await server.store.putBucket(bucket.name);
  // LastModified is the platform's time, not the machine's, as in every local service.
  const putObject = server.store.putObject.bind(server.store);
  server.store.putObject = async (object) => {
    const put = await putObject(object);
    const seconds = clock.now() / 1000;
    await utimes(server.store.getResourcePath(object.bucket, object.key, "object"), seconds, seconds);
    return put;
  };
  const handle = server.callback();
  const writing = new Set<string>();

  /**
   * For a missing object, callers who may list the bucket get a 404, all others a 403:
   * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html ("Permissions"). If the permission
   * to list has a condition on `s3:prefix`, it counts as not met, because a GetObject has no prefix (a
   * guess: no page says it).
   */
  async function refuseMissing(bucket: string, key: string, exchange: Exchange): Promise<void> {
    if (await server.store.existsObject(bucket, key)) return;
    const need = { action: "s3:ListBucket", resource: bucketArn(bucket) };
    if (exchange.allows(need)) return;
    throw new AwsError(
      403,
      "AccessDenied",
      `the object does not exist, and the caller is not authorized to perform: s3:ListBucket on resource: ${need.resource}`,
    );
  }

  async function serve(exchange: Exchange): Promise<undefined> {
    const { request, response } = exchange;
    // The front door has checked the signature; s3rver has neither the keys nor the platform's clock to
    // check it again.
    delete request.headers.authorization;
    delete request.headers["x-amz-date"];
    const done = finished(response, { cleanup: true }).catch(() => {});
    await handle(request, response);
    await done;
    return undefined;
  }

  /** s3rver ignores If-None-Match on writes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
  async function put({ bucket, key = "" }: Target, exchange: Exchange): Promise<undefined> {
    const { headers } = exchange.request;
    if (headers["if-none-match"] === undefined) return await serve(exchange);
    const object = `${bucket}/${key}`;
    if (writing.has(object)) {
      throw new AwsError(
        409,
        "ConditionalRequestConflict",
        "another conditional request for this key is running",
      );
    }
    writing.add(object);
    try {
      if (await server.store.existsObject(bucket, key)) {
        throw new AwsError(
          412,
          "PreconditionFailed",
          "At least one of the pre-conditions you specified did not hold",
        );
      }
      return await serve(exchange);
    } finally {
      writing.delete(object);
    }
  }

  return {
    name: "s3",
    bodyLimit: undefined,
    errors: {
      accessDenied: [403, "AccessDenied"],
      unknownAccessKey: [403, "InvalidAccessKeyId"],
      badSignature: [403, "SignatureDoesNotMatch"],
      throttled: [503, "SlowDown"],
      internal: [500, "InternalError"],
    },
    read(request: AwsRequest): AwsOperation {
      const target = readTarget(request);
      const need = objectNeed(request, target) ?? bucketNeed(request, target);
      if (need === undefined) {
        throw new AwsError(
          501,
          "NotImplemented",
          `the local S3 does not know ${request.method} with these parameters`,
        );
      }
      return {
        needs: [need],
        async act(exchange) {
          const { bucket, key } = target;
          if (!buckets.some((candidate) => candidate.name === bucket)) {
            throw new AwsError(404, "NoSuchBucket", "The specified bucket does not exist");
          }
          if (need.action === "s3:GetObject" && key !== undefined) await refuseMissing(bucket, key, exchange);
          return need.action === "s3:PutObject" ? await put(target, exchange) : await serve(exchange);
        },
      };
    },
    errorAnswer: (error, request): AwsAnswer => ({
      status: error.status,
      headers: { "content-type": "application/xml", "x-amz-request-id": randomUUID() },
      body:
        request.method === "HEAD"
          ? ""
          : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${escapeXml(error.code)}</Code>` +
            `<Message>${escapeXml(error.message)}</Message></Error>`,
    }),
    async close() {
      server.logger.close();
    },
  };
}

function readTarget(request: AwsRequest): Target {
  const [, bucket = "", rawKey = ""] = /^\/([^/]*)(?:\/(.*))?$/s.exec(request.path) ?? [];
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || bucket.includes("..")) {
    throw new AwsError(400, "InvalidBucketName", "The specified bucket is not valid.");
  }
  let key: string;
  try {
    key = decodeURIComponent(rawKey);
  } catch {
    throw new AwsError(400, "InvalidURI", "the key's percent-encoding is wrong");
  }
  // Keys become file paths, and no path may leave the bucket's folder; S3 itself accepts such keys.
  if (key.split("/").some((segment) => segment === "." || segment === "..") || key.includes("\0")) {
    throw new AwsError(400, "InvalidURI", "the local S3 accepts no keys with . or .. as a segment");
  }
  if (key.includes("._S3rver_"))
    throw new AwsError(400, "InvalidURI", "the local S3 reserves ._S3rver_ in keys");
  if (Buffer.byteLength(key) > 1024) throw new AwsError(400, "KeyTooLongError", "Your key is too long");
  return { bucket, key: key === "" ? undefined : key, query: new URLSearchParams(request.query) };
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
function objectNeed(request: AwsRequest, { bucket, key, query }: Target): AccessNeed | undefined {
  if (key === undefined) return undefined;
  const resource = `${bucketArn(bucket)}/${key}`;
  // x-id names the operation for readers of logs; S3 ignores it.
  const plain = [...query.keys()].every((name) => name === "x-id");
  if ((request.method === "GET" || request.method === "HEAD") && plain)
    return { action: "s3:GetObject", resource };
  if (request.method === "DELETE" && plain && request.headers["if-match"] === undefined) {
    return { action: "s3:DeleteObject", resource };
  }
  if (request.method !== "PUT" || !plain) return undefined;
  const { headers } = request;
  if (headers["x-amz-copy-source"] !== undefined || headers["if-match"] !== undefined) return undefined;
  if (headers["if-none-match"] !== undefined && headers["if-none-match"] !== "*") return undefined;
  // s3rver cannot read chunks with checksum trailers; SDKs send these for streams, not for buffers.
  if (String(headers["x-amz-content-sha256"]).startsWith("STREAMING-")) return undefined;
  return { action: "s3:PutObject", resource };
}

function bucketNeed(request: AwsRequest, { bucket, key, query }: Target): AccessNeed | undefined {
  if (key !== undefined) return undefined;
  const resource = bucketArn(bucket);
  const known = [
    "list-type",
    "prefix",
    "max-keys",
    "delimiter",
    "continuation-token",
    "start-after",
    "encoding-type",
    "x-id",
  ];
  if (request.method === "HEAD" && query.size === 0) return { action: "s3:ListBucket", resource };
  if (request.method !== "GET" || query.get("list-type") !== "2") return undefined;
  if (![...query.keys()].every((name) => known.includes(name))) return undefined;
  const prefix = query.get("prefix");
  return {
    action: "s3:ListBucket",
    resource,
    ...(prefix !== null && { context: { "s3:prefix": [prefix] } }),
  };
}

function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}
