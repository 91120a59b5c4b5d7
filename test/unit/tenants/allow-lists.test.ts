import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkOrigin,
  checkReturnUrl,
  isReturnUrlAllowed,
} from "../../../functions/core/tenants/allow-lists.ts";

const allows = (entry: string, url: string) =>
  isReturnUrlAllowed({ returnUrls: [checkReturnUrl(entry)] }, url);

describe("a list of return URLs", () => {
  it("allows exactly its entries", () => {
    expect(allows("https://app.example/back?a=1", "https://app.example/back?a=1")).toBe(true);
    expect(allows("https://app.example/back", "https://app.example/back?a=1")).toBe(false);
    expect(allows("https://app.example", "https://app.example/")).toBe(true);
    expect(allows("http://localhost:3000/x", "http://localhost:3000/x")).toBe(true);
  });

  it("allows URLs that begin with an entry that ends in *", () => {
    expect(allows("https://app.example/a/*", "https://app.example/a/b?c=d")).toBe(true);
    expect(allows("https://app.example/*", "https://app.example/")).toBe(true);
    expect(allows("https://app.example/a/*", "https://app.example/b")).toBe(false);
  });

  it.each([
    "https://app.example.evil.com/a/",
    "https://app.example@evil.com/a/",
    "https://user@app.example/a/",
    "https://app.example:8443/a/",
    "http://app.example/a/",
    "https://app.example/a/../evil",
    "https://app.example/a/%2e%2e/evil",
    "https://app.example\\@evil.com/a/",
    "//app.example/a/",
    "javascript:alert(1)",
    "https://app.example/a/#fragment",
    "not a url",
  ])("refuses %s", (url) => {
    expect(allows("https://app.example/a/*", url)).toBe(false);
  });

  it("never allows an origin that no entry has, whatever the URL", () => {
    const piece = fc.constantFrom(
      "https://",
      "app.example",
      "evil.com",
      "/",
      "\\",
      "@",
      ":",
      "..",
      "%2f",
      "?",
      "#",
      "a",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const url = pieces.join("");
        if (allows("https://app.example/a/*", url)) expect(new URL(url).origin).toBe("https://app.example");
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    "https://app.example*",
    "https://*.example/",
    "http://app.example/",
    "ftp://app.example/",
    "https://u:p@app.example/",
    "https://app.example/#x",
    "*",
    "",
  ])("refuses an entry like %j", (entry) => {
    expect(() => checkReturnUrl(entry)).toThrowError(expect.objectContaining({ status: 400 }));
  });
});

describe("a list of origins", () => {
  it("accepts origins as browsers write them, and nothing else", () => {
    expect(checkOrigin("https://app.example")).toBe("https://app.example");
    expect(checkOrigin("http://localhost:3000")).toBe("http://localhost:3000");
    for (const wrong of [
      "https://app.example/",
      "https://APP.example",
      "https://app.example:443",
      "null",
      "*",
    ]) {
      expect(() => checkOrigin(wrong)).toThrowError(expect.objectContaining({ status: 400 }));
    }
  });
});
