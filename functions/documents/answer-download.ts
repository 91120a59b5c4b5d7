import { UNKNOWN_TYPE } from "../core/documents/media-types.ts";
import type { Download } from "../core/documents/vendor.ts";
import type { HttpResponse } from "../http/request.ts";

/**
 * Passes a well-formed `Range` header on to the vendor, and ignores any other value (RFC 9110 section 14.2).
 */
export function rangeOf(header: string | undefined): { range?: string } {
  return header !== undefined && header.length < 200 && /^bytes=[\d ,-]+$/.test(header)
    ? { range: header }
    : {};
}

/** A media type (RFC 9110 section 8.3.1), with the forms of parameters that vendors use. */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?: ?; ?[\w!#$&^.+-]{1,127}=(?:[\w!#$&^.+-]{1,127}|"[ !#-[\]-~]{0,127}")){0,5}$/;

/** The vendor's headers that are passed on, each only if its value is well formed. */
const PASSED_ON: readonly (readonly [from: string, to: string, shape: RegExp])[] = [
  ["content-length", "Content-Length", /^\d+$/],
  ["content-range", "Content-Range", /^bytes (?:\*|\d+-\d+)\/(?:\*|\d+)$/i],
  ["accept-ranges", "Accept-Ranges", /^[\w, -]+$/],
  ["content-encoding", "Content-Encoding", /^[\w, -]+$/],
];

/** Answers the bytes unchanged, with headers that name the file. */
export function answerDownload(
  { response, name, mimeType }: Download,
  extra: Readonly<Record<string, string>> = {},
): HttpResponse<never> {
  const kept: Record<string, string> = {};
  for (const [from, to, shape] of PASSED_ON) {
    const value = response.headers[from];
    if (value !== undefined && shape.test(value)) kept[to] = value;
  }
  // Several ranges are sent as parts, with a boundary that only the vendor's header contains.
  const parts = /^multipart\/byteranges\b[\x20-\x7e]*$/i.test(response.headers["content-type"] ?? "");
  return {
    status: response.status === 206 ? 206 : 200,
    headers: {
      "Content-Type": parts ? (response.headers["content-type"] as string) : sendableType(mimeType),
      "Content-Disposition": contentDisposition(name),
      "X-Content-Type-Options": "nosniff",
      // The file belongs to one user: a browser may store it, but must revalidate it before each use.
      "Cache-Control": "private, no-cache",
      ...kept,
      ...extra,
    },
    body: response.body,
    onEnd: () => response.body.destroy(),
  };
}

/** The file's type, if it is well formed: vendors store any text that the uploading app sends as the type. */
function sendableType(mimeType: string): string {
  return MEDIA_TYPE.test(mimeType) ? mimeType : UNKNOWN_TYPE;
}

/** RFC 6266 with RFC 8187: an ASCII name for old clients, the exact name in UTF-8 for all others. */
export function contentDisposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
