import { describe, expect, it } from "vitest";
import { mediaTypeOf } from "../../../functions/core/documents/media-types.ts";

describe("the media type of a file name", () => {
  it.each([
    ["a.pdf", "application/pdf"],
    ["A.PDF", "application/pdf"],
    ["a.tar.gz", "application/gzip"],
    ["a.js", "text/javascript"],
    ["a.m4a", "audio/mp4"],
    ["a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    ["a.xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12"],
    ["a.yml", "application/yaml"],
    ["a.flac", "audio/flac"],
    ["a.woff2", "font/woff2"],
    ["a.dwg", "image/vnd.dwg"],
  ])("%s is %s", (name, type) => {
    expect(mediaTypeOf(name)).toBe(type);
  });

  it.each(["a", ".pdf", "a.", "a.unheard-of", "a.__proto__", "a.constructor", ""])(
    "of %j nobody knows",
    (name) => {
      expect(mediaTypeOf(name)).toBe("application/octet-stream");
    },
  );
});
