import type { S3Client } from "@aws-sdk/client-s3";
import type { RescueRecord } from "../core/grant/ports.ts";

export interface RescueBucketOptions {
  readonly bucket: string;
  /** Another client than the environment's, for tests. */
  readonly client?: S3Client;
}

export const RESCUE_PREFIX = "rescue/";

/** `rescue/<instance>/<fence | signin-<epoch> | new>` */
export function rescueKey(record: RescueRecord): string {
  if (record.kind === "new") return `${RESCUE_PREFIX}${record.instance.id}/new`;
  const name = record.kind === "refresh" ? String(record.fence) : `signin-${record.epoch}`;
  return `${RESCUE_PREFIX}${record.instanceId}/${name}`;
}

/** JSON; sealed bytes, wherever they stand, as `{"$bytes": "<base64>"}`. */
export function writeRecord(record: RescueRecord): string {
  return JSON.stringify(record, function (this: Record<string, unknown>, name, value: unknown) {
    // `this[name]`, since a Buffer has been turned into something else by its toJSON already.
    const raw = this[name];
    return raw instanceof Uint8Array ? { $bytes: Buffer.from(raw).toString("base64") } : value;
  });
}

export function readRecord(text: string): RescueRecord {
  return JSON.parse(text, (_, value: unknown) => {
    const bytes = (value as { $bytes?: unknown } | null)?.$bytes;
    return typeof bytes === "string" ? new Uint8Array(Buffer.from(bytes, "base64")) : value;
  }) as RescueRecord;
}
