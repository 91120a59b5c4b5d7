import { InvalidRequest } from "../../../errors.ts";
import { mediaTypeOf } from "../../media-types.ts";

/** Google's own documents have no bytes, so they are exported. */
export function isGoogleFormat(mimeType: string | undefined): boolean {
  return mimeType?.startsWith("application/vnd.google-apps.") ?? false;
}

/**
 * Extensions from https://developers.google.com/workspace/drive/api/guides/ref-export-formats; the first one
 * that is offered is used.
 */
const preferred = [
  "docx",
  "xlsx",
  "pptx",
  "pdf",
  "png",
  "jpg",
  "svg",
  "odt",
  "ods",
  "odp",
  "rtf",
  "csv",
  "tsv",
  "txt",
  "md",
  "html",
  "epub",
  "zip",
];

export interface ExportFormat {
  readonly mediaType: string;
  /** Extension that is appended to the document's name, with its dot; empty: none. */
  readonly extension: string;
}

export function formatOf(mediaType: string): ExportFormat {
  const extension = preferred.find((each) => mediaTypeOf(`a.${each}`) === mediaType);
  return { mediaType, extension: extension === undefined ? "" : `.${extension}` };
}

/**
 * Chooses the format if the caller names none: an Office format if there is one.
 * @param offered the formats in which the vendor can export this document
 * @throws {InvalidRequest} the vendor can export it in no format (a form, a site)
 */
export function chooseFormat(offered: readonly string[]): ExportFormat {
  const extension = preferred.find((each) => offered.includes(mediaTypeOf(`a.${each}`)));
  const mediaType = extension === undefined ? offered[0] : mediaTypeOf(`a.${extension}`);
  if (mediaType === undefined)
    throw new InvalidRequest("this kind of Google document cannot be downloaded", undefined, "not_a_file");
  return formatOf(mediaType);
}
