import type { Download } from "../core/documents/vendor.ts";
import type { HttpResponse } from "../http/request.ts";

/** Only what a range can look like goes on to the vendor; RFC 9110 section 14.2: what cannot be understood is ignored. */
export function rangeOf(header: string | undefined): { range?: string } {
  return header !== undefined && header.length < 200 && /^bytes=[\d ,-]+$/.test(header)
    ? { range: header }
    : {};
}

/** The bytes as they come, with headers that name the file. */
export function answerDownload(
  { response, name, mimeType }: Download,
  extra: Readonly<Record<string, string>> = {},
): HttpResponse {
  const kept: Record<string, string> = {};
  for (const [from, to] of [
    ["content-length", "Content-Length"],
    ["content-range", "Content-Range"],
    ["accept-ranges", "Accept-Ranges"],
    ["content-encoding", "Content-Encoding"],
  ] as const) {
    const value = response.headers[from];
    if (value !== undefined) kept[to] = value;
  }
  // Several ranges come as parts, with a boundary that only the vendor's header tells.
  const parts = /^multipart\/byteranges\b/i.test(response.headers["content-type"] ?? "");
  return {
    status: response.status === 206 ? 206 : 200,
    headers: {
      "Content-Type": parts ? (response.headers["content-type"] as string) : mimeType,
      "Content-Disposition": contentDisposition(name),
      "X-Content-Type-Options": "nosniff",
      ...kept,
      ...extra,
    },
    body: response.body,
    onEnd: () => response.body.destroy(),
  };
}

/** RFC 6266 with RFC 8187: a plain name for old clients, the exact one in UTF-8 for all others. */
export function contentDisposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
