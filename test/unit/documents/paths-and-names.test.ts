import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWithin, joinPath, nameOf, parentOf, parsePath } from "../../../functions/core/documents/path.ts";
import { dropbox } from "../../../functions/core/documents/vendors/dropbox/dropbox.ts";
import { googledrive } from "../../../functions/core/documents/vendors/googledrive/googledrive.ts";
import { contentDisposition } from "../../../functions/documents/answer-download.ts";

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((text) => !/[/\0]/.test(text) && text !== "." && text !== "..");

describe("paths", () => {
  it("can be split and joined again, whatever the names", () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
        const path = parsePath(`/${names.join("/")}`);
        expect(joinPath(parentOf(path), nameOf(path))).toBe(path);
        expect(nameOf(path)).toBe(names.at(-1));
        expect(isWithin(path, parentOf(path))).toBe(true);
      }),
    );
  });

  it("lose double slashes and the slash at the end", () => {
    expect(parsePath("//a//b/")).toBe("/a/b");
    expect(parsePath("/")).toBe("/");
  });

  it("are not within a folder whose name is only the beginning of theirs", () => {
    expect(isWithin("/ab", "/a")).toBe(false);
    expect(isWithin("/a/b", "/a")).toBe(true);
  });

  it.each(["a/b", "", "/a/../b", "/./a", `/${"x".repeat(256)}`, `/${"x/".repeat(3000)}`, "/a\0b"])(
    "that are invalid are refused with a 400 that names path (%#)",
    (path) => {
      expect(() => parsePath(path)).toThrow(
        expect.objectContaining({ status: 400, detail: { field: "path" } }),
      );
    },
  );
});

describe("ids in URLs", () => {
  it("of Dropbox work verbatim, encoded once more, and decoded by a gateway", () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const path = `/${names.join("/")}`.toWellFormed().toLowerCase();
        const id = encodeURIComponent(encodeURIComponent(path));
        for (const form of [id, encodeURIComponent(id), decodeURIComponent(id)])
          expect(dropbox.openId(form)).toBe(path);
      }),
    );
    for (const form of ["%252F", "%25252F", "%2F", "/"]) expect(dropbox.openId(form)).toBe("/");
    expect(dropbox.openId("id%3Aabc_-")).toBe("id:abc_-");
  });

  it.each(["", "..", "a/b", "a?fields=*", "%2e%2e", "x".repeat(500)])(
    "of Google Drive cannot leave their path segment: %s",
    (id) => {
      expect(() => googledrive.openId(id)).toThrow(expect.objectContaining({ status: 404 }));
    },
  );
});

describe("Content-Disposition", () => {
  it("is plain ASCII, and contains every name in encoded form", () => {
    fc.assert(
      fc.property(name, (text) => {
        const header = contentDisposition(text);
        expect(header).toMatch(
          /^attachment; filename="[\x20\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[\w!#$&+.^`|~%-]*$/,
        );
        expect(decodeURIComponent(header.slice(header.lastIndexOf("''") + 2))).toBe(text.toWellFormed());
      }),
    );
  });
});
