import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { AwsRequest } from "./service.ts";

/** The content of an `Authorization: AWS4-HMAC-SHA256 …` header. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  /** Lower-case hex. */
  readonly signature: string;
}

const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([\w-]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/;

/** @returns undefined: the header has no Signature Version 4 */
export function readAuthorization(header: string | undefined): SignatureClaim | undefined {
  const match = authorizationPattern.exec(header ?? "");
  if (match === null) return undefined;
  const [, accessKeyId = "", date = "", region = "", service = "", signedHeaders = "", signature = ""] =
    match;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(";"), signature };
}

/**
 * Makes a function that checks Signature Version 4 as AWS describes it: canonical request, string to sign, derived key.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * The request's time is not compared with the clock, because tests move the clock, and SDKs then follow the
 * Date of our answers. For a streamed body (S3) the signature covers the hash in the header; the body is
 * not hashed again here.
 */
export function signatureCheck(): (
  request: AwsRequest,
  claim: SignatureClaim,
  secretAccessKey: string,
) => boolean {
  // Signing keys, cached because a key stays the same for a day and needs four HMACs.
  const keys = new Map<string, Buffer>();

  function signingKey(claim: SignatureClaim, secretAccessKey: string): Buffer {
    const id = `${claim.accessKeyId}/${claim.date}/${claim.region}/${claim.service}`;
    const known = keys.get(id);
    if (known !== undefined) return known;
    let key = hmac(`AWS4${secretAccessKey}`, claim.date);
    for (const part of [claim.region, claim.service, "aws4_request"]) key = hmac(key, part);
    if (keys.size > 1000) keys.clear();
    keys.set(id, key);
    return key;
  }

  return (request, claim, secretAccessKey) => {
    const time = request.headers["x-amz-date"];
    if (typeof time !== "string" || !time.startsWith(claim.date)) return false;
    // Without these two headers a signature would also be valid for another host or another time.
    if (!claim.signedHeaders.includes("host") || !claim.signedHeaders.includes("x-amz-date")) return false;
    const declaredHash = request.headers["x-amz-content-sha256"];
    const streamed = claim.service === "s3";
    const bodyHash = streamed ? undefined : sha256(request.body);
    if (typeof declaredHash === "string" && bodyHash !== undefined && declaredHash !== bodyHash) return false;
    const payloadHash = typeof declaredHash === "string" ? declaredHash : bodyHash;
    if (payloadHash === undefined) return false;
    const canonicalRequest = [
      request.method,
      // S3 signs the path as sent, every other service encodes its segments once more.
      streamed ? request.path : request.path.split("/").map(encode).join("/"),
      canonicalQuery(request.query),
      ...claim.signedHeaders.map((name) => `${name}:${headerValue(request.headers[name])}`),
      "",
      claim.signedHeaders.join(";"),
      payloadHash,
    ].join("\n");
    const scope = `${claim.date}/${claim.region}/${claim.service}/aws4_request`;
    const stringToSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonicalRequest)].join("\n");
    const expected = hmac(signingKey(claim, secretAccessKey), stringToSign);
    return timingSafeEqual(expected, Buffer.from(claim.signature, "hex"));
  };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function headerValue(value: string | readonly string[] | undefined): string {
  return String(value ?? "")
    .trim()
    .replace(/\s+/g, " ");
}

/** RFC 3986 encoding: everything but letters, digits, `-`, `.`, `_` and `~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs = query.split("&").map((pair): [string, string] => {
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    return [encode(decode(name)), encode(decode(value))];
  });
  // Sorted by name, then by value; a comparison of whole pairs would put `a-b=` before `a=`.
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return pairs.map((pair) => pair.join("=")).join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
