import type { files } from "dropbox";
import { InvalidRequest } from "../../../errors.ts";
import { mediaTypeOf } from "../../media-types.ts";
import type { Download } from "../../vendor.ts";
import type { CallRequest, VendorCall } from "../../vendor-call.ts";
import { badAnswer } from "../../vendor-failure.ts";
import { contentCall, errorOf, rpc } from "./rpc.ts";

/**
 * The bytes of a file. "This file type cannot be downloaded directly; use export instead" (DownloadError): Paper documents,
 * Google Docs and the like are exported. Which files these are is known only from their metadata, so this downloads first.
 * @throws {InvalidRequest} the file has no export of that media type
 */
export async function download(
  call: VendorCall,
  path: string,
  { range, mediaType }: { range?: string; mediaType?: string },
): Promise<Download> {
  const ranged = range === undefined ? [] : [["Range", range] as const];
  try {
    return await open<files.FileMetadata>(
      call,
      contentCall("files/download", { path }, ranged),
      (told) => told,
    );
  } catch (error) {
    if (errorOf(error)?.[".tag"] !== "unsupported_file") throw error;
  }
  const format = mediaType === undefined ? undefined : await formatFor(call, path, mediaType);
  const argument = { path, ...(format === undefined ? {} : { export_format: format }) };
  return await open<files.ExportResult>(
    call,
    contentCall("files/export", argument),
    ({ export_metadata: told }) => told,
  );
}

/**
 * @param nameIn finds the name of the sent bytes in the result: an exported `Notes.paper` is sent as `Notes.md`
 */
async function open<T>(
  call: VendorCall,
  request: CallRequest,
  nameIn: (result: T) => { readonly name: string },
): Promise<Download> {
  const response = await call.open(request);
  try {
    const { name } = nameIn(JSON.parse(response.headers["dropbox-api-result"] ?? "") as T);
    return { response, name, mimeType: mediaTypeOf(name) };
  } catch (error) {
    response.body.destroy();
    throw badAnswer("it lacks the Dropbox-API-Result header", error);
  }
}

/**
 * Formats that are not file extensions. `ExportInfo` gives no list of formats; these are rclone's
 * (https://github.com/rclone/rclone/pull/8371), and Paper's own names for formats (`ExportFormat` in
 * https://github.com/dropbox/dropbox-api-spec/blob/main/paper.stone has `html` and `markdown`, `ImportFormat` also `plain_text`).
 */
const formats: Readonly<Record<string, string>> = { markdown: "md", plain_text: "txt" };

async function formatFor(call: VendorCall, path: string, mediaType: string): Promise<string> {
  const metadata = await rpc<files.FileMetadata>(call, "files/get_metadata", { path });
  const { export_as: usual, export_options: others = [] } = metadata.export_info ?? {};
  const offered = [...new Set([...(usual === undefined ? [] : [usual]), ...others])];
  const wanted = mediaType.toLowerCase();
  const format = offered.find((each) => typeOf(each) === wanted);
  if (format === undefined) {
    const types = offered.map(typeOf).join(", ");
    throw new InvalidRequest(
      `mediaType: the vendor exports this file only as ${types === "" ? "its default format" : types}`,
      "mediaType",
    );
  }
  return format;
}

function typeOf(format: string): string {
  return mediaTypeOf(`a.${formats[format] ?? format}`).toLowerCase();
}
