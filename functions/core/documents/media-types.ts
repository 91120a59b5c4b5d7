import { types } from "mime-types";
import { extensionOf } from "./item.ts";

export const UNKNOWN_TYPE = "application/octet-stream";

/**
 * Media types that mime-db lacks, has in an older form, or has in lower case only (some callers compare case-sensitively).
 * Sources: IANA's registry (https://www.iana.org/assignments/media-types), RFC 9512 for YAML, RFC 9639 for FLAC.
 */
const ours: Readonly<Record<string, string>> = {
  docm: "application/vnd.ms-word.document.macroEnabled.12",
  flac: "audio/flac",
  py: "text/x-python",
  vsdx: "application/vnd.ms-visio.drawing.main+xml",
  xlsm: "application/vnd.ms-excel.sheet.macroEnabled.12",
  yaml: "application/yaml",
  yml: "application/yaml",
};

/** The media type for a file name's extension, or `application/octet-stream`. */
export function mediaTypeOf(name: string): string {
  const extension = extensionOf(name);
  for (const known of [ours, types]) if (Object.hasOwn(known, extension)) return known[extension] as string;
  return UNKNOWN_TYPE;
}
