import * as v from "valibot";
import { DriveError } from "./errors.ts";

const text = v.optional(v.nullable(v.string()));
const flag = v.optional(v.nullable(v.boolean()));
/** A null value removes a property. */
const properties = v.optional(v.nullable(v.record(v.string(), v.nullable(v.string()))));
const METADATA = v.object({
  id: text,
  name: text,
  mimeType: text,
  description: text,
  parents: v.optional(v.nullable(v.array(v.string()))),
  properties,
  appProperties: properties,
  starred: flag,
  trashed: flag,
  createdTime: text,
  modifiedTime: text,
  originalFilename: text,
  folderColorRgb: text,
  shortcutDetails: v.optional(v.nullable(v.object({ targetId: v.string() }))),
});

/** The metadata that a client may send for a file. */
export type FileMetadata = v.InferOutput<typeof METADATA>;

const READ_ONLY = ["md5Checksum", "size", "owners", "permissions", "capabilities", "webViewLink", "version"];

/**
 * Reads the metadata part of a create or update. Ignores unknown fields, as Drive does.
 * @throws {DriveError} fieldNotWritable, or a value has the wrong type
 */
export function readMetadata(body: Record<string, unknown>, isUpdate: boolean): FileMetadata {
  if (isUpdate && body.parents !== undefined) {
    throw notWritable(
      "The parents field is not directly writable in update requests. Use the addParents and removeParents parameters instead.",
    );
  }
  const refused = READ_ONLY.find((name) => body[name] !== undefined) ?? (isUpdate && body.id !== undefined);
  if (refused !== undefined && refused !== false) {
    throw notWritable("The resource body includes fields which are not directly writable.");
  }
  const result = v.safeParse(METADATA, body);
  if (result.success) return result.output;
  throw new DriveError(
    400,
    "invalid",
    `Invalid value for: ${String(result.issues[0].path?.[0]?.key ?? "body")}`,
  );
}

function notWritable(message: string): DriveError {
  return new DriveError(403, "fieldNotWritable", message);
}
