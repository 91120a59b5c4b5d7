import { bytesContent, type Content } from "../content.ts";
import type { VendorRequest } from "../http/request.ts";
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
  const boundary = /^multipart\/(?:related|mixed|form-data);.*boundary=(?:"([^"]+)"|([^\s;]+))/is.exec(
    type ?? "",
  );
  const parts = boundary === null ? [] : partsOf(body, boundary[1] ?? boundary[2] ?? "");
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

interface Part {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** RFC 2046 section 5.1.1. The line break before a delimiter belongs to the delimiter. */
function partsOf(body: Buffer, boundary: string): Part[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  let start = body.indexOf(delimiter);
  while (start >= 0) {
    const from = start + delimiter.length;
    if (body.subarray(from, from + 2).toString() === "--") return parts;
    const end = body.indexOf(Buffer.concat([Buffer.from("\r\n"), delimiter]), from);
    if (end < 0) return [];
    const part = body.subarray(body.indexOf("\n", from) + 1, end);
    const gap = part.indexOf("\r\n\r\n");
    if (gap < 0) return [];
    parts.push({ headers: headersOf(part.subarray(0, gap).toString("utf8")), body: part.subarray(gap + 4) });
    start = end + 2;
  }
  return [];
}

function headersOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split("\r\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

export function withoutParameters(type: string | undefined): string | undefined {
  return type?.split(";")[0]?.trim().toLowerCase();
}
