import { Readable } from "node:stream";
import { expect, it } from "vitest";
import type { Download } from "../../../functions/core/documents/vendor.ts";
import { answerDownload, rangeOf } from "../../../functions/documents/answer-download.ts";

const download = (mimeType: string, headers: Record<string, string> = {}): Download => ({
  name: "a",
  mimeType,
  response: { status: 200, headers, rawHeaders: [], body: Readable.from([]), url: "https://vendor.example/" },
});
const headersOf = (each: Download) => answerDownload(each).headers ?? {};

it.each(["text/plain", "text/plain; charset=utf-8", 'text/plain;charset="utf 8"', "application/vnd.a+json"])(
  "passes on the vendor's media type of a file: %s",
  (type) => {
    expect(headersOf(download(type))["Content-Type"]).toBe(type);
  },
);

it.each([
  "text/html\r\nSet-Cookie: a=b",
  "text/日本",
  "text",
  "",
  "text/plain; charset",
  'text/plain; charset="a\nb"',
  `text/${"x".repeat(1_000)}`,
])("uses application/octet-stream for a media type that a header cannot hold: %j", (type) => {
  expect(headersOf(download(type))["Content-Type"]).toBe("application/octet-stream");
});

it("passes on the vendor's valid headers, and no shared cache may keep the bytes", () => {
  const good = {
    "content-length": "5",
    "content-range": "bytes 0-4/9",
    "accept-ranges": "bytes",
    "content-encoding": "gzip",
  };
  expect(headersOf(download("text/plain", good))).toMatchObject({
    "Content-Length": "5",
    "Content-Range": "bytes 0-4/9",
    "Accept-Ranges": "bytes",
    "Content-Encoding": "gzip",
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
  });
  const bad = Object.fromEntries(Object.keys(good).map((name) => [name, "x é;"]));
  expect(Object.keys(headersOf(download("text/plain", bad)))).not.toContain("Content-Length");
  expect(Object.keys(headersOf(download("text/plain", bad)))).not.toContain("Content-Encoding");
});

it("drops a Range that a header cannot hold", () => {
  expect(rangeOf("bytes=0-1, 5-")).toEqual({ range: "bytes=0-1, 5-" });
  for (const header of ["bytes=0-\u20281", "bytes=0-1\r\nX: 1", `bytes=${"1-,".repeat(100)}`, "lines=1-2"])
    expect(rangeOf(header)).toEqual({});
});
