import { bytesContent, type Content } from "../content.ts";
import type { VendorRequest } from "../http/request.ts";
import { partsOf } from "../kit/multipart.ts";
import { objectOf } from "./call.ts";
import { DriveError } from "./errors.ts";

/** The content of an upload in one request. */
export interface Upload {
  readonly metadata: Record<string, unknown>;
  readonly mediaType: string | undefined;
  readonly content: Content;
}

/**
 * Reads `uploadType=media` and `uploadType=multipart`.
 * https://developers.google.com/workspace/drive/api/guides/manage-uploads
 * @throws {DriveError} the body does not fit its Content-Type
 */
export async function readUpload(request: VendorRequest): Promise<Upload> {
  const type = request.header("content-type");
  const uploadType =
    request.query.get("uploadType") ?? (/^multipart\//i.test(type ?? "") ? "multipart" : "media");
  const body = await request.body();
  if (uploadType === "media")
    return { metadata: {}, mediaType: withoutParameters(type), content: bytesContent(body) };
  if (uploadType !== "multipart")
    throw new DriveError(400, "badRequest", `Invalid upload type: ${uploadType}`);
  const parts = partsOf(type, body);
  const [metadata, media] = parts;
  if (metadata === undefined || media === undefined || parts.length !== 2) {
    throw new DriveError(400, "badContent", "Malformed multipart body.");
  }
  return {
    metadata: objectOf(metadata.body.toString("utf8")),
    mediaType: withoutParameters(media.headers["content-type"]),
    content: bytesContent(
      media.headers["content-transfer-encoding"]?.toLowerCase() === "base64"
        ? Buffer.from(media.body.toString("latin1"), "base64")
        : media.body,
    ),
  };
}

export function withoutParameters(type: string | undefined): string | undefined {
  return type?.split(";")[0]?.trim().toLowerCase();
}
