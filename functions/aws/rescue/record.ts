import type { S3Client } from "@aws-sdk/client-s3";
import { UnreadableRecord } from "../../core/grant/rescue/unreadable-record.ts";
import type { RescueRecord } from "../../core/instances/rescue-store.ts";

export interface RescueBucketOptions {
  readonly bucket: string;
  /** Another client than the environment's, for tests. */
  readonly client?: S3Client;
}

export const RESCUE_PREFIX = "rescue/";

/**
 * Written before the JSON of a record that an older worker must not handle: that worker would delete a record
 * of an unknown kind, or lose the values that must be carried over. An older worker cannot parse a text with
 * this prefix, so the record stays in the bucket and its message comes again.
 */
const NEWER = "not for older versions\n";

/** `rescue/<instance>/<fence | signin-<epoch> | new | pending-<epoch>>` */
export function rescueKey(record: RescueRecord): string {
  if (record.kind === "new") return `${RESCUE_PREFIX}${record.instance.id}/new`;
  if (record.kind === "pending") {
    return `${RESCUE_PREFIX}${record.pending.instanceId}/pending-${record.pending.epoch}`;
  }
  const name = record.kind === "refresh" ? String(record.fence) : `signin-${record.epoch}`;
  return `${RESCUE_PREFIX}${record.instanceId}/${name}`;
}

/** Writes a record as JSON; sealed bytes in any field become `{"$bytes": "<base64>"}`. */
export function writeRecord(record: RescueRecord): string {
  const json = JSON.stringify(record, function (this: Record<string, unknown>, name, value: unknown) {
    // Uses `this[name]`: a Buffer's toJSON has already converted `value`.
    const raw = this[name];
    return raw instanceof Uint8Array ? { $bytes: Buffer.from(raw).toString("base64") } : value;
  });
  const isNewer = record.kind === "pending" || (record.kind === "sign-in" && record.carries === true);
  return isNewer ? NEWER + json : json;
}

const KINDS: readonly RescueRecord["kind"][] = ["refresh", "sign-in", "new", "pending"];

/**
 * @param writtenAt when the record was written to the bucket, epoch milliseconds
 * @throws {UnreadableRecord} the text is not JSON, or this version does not know the record's kind
 */
export function readRecord(text: string, writtenAt?: number): RescueRecord {
  const json = text.startsWith(NEWER) ? text.slice(NEWER.length) : text;
  let record: RescueRecord | null;
  try {
    record = JSON.parse(json, (_, value: unknown) => {
      const bytes = (value as { $bytes?: unknown } | null)?.$bytes;
      return typeof bytes === "string" ? new Uint8Array(Buffer.from(bytes, "base64")) : value;
    }) as RescueRecord | null;
  } catch {
    // The error of JSON.parse is dropped, because it quotes the text.
    throw new UnreadableRecord("it is not JSON", writtenAt);
  }
  if (record === null || !KINDS.includes(record.kind)) {
    throw new UnreadableRecord("this version does not know its kind", writtenAt);
  }
  return record;
}
