import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkApplicationUrl,
  checkOrigin,
  checkReturnUrl,
  isApplicationUrlAllowed,
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

describe("an OAuth proxy's list of application URLs", () => {
  const forwards = (entry: string, url: string) =>
    isApplicationUrlAllowed({ applicationUrls: [checkApplicationUrl(entry)] }, url);

  it("allows exactly its entries, and what begins with an entry that ends in *", () => {
    expect(forwards("https://app.example/done?a=1", "https://app.example/done?a=1")).toBe(true);
    expect(forwards("https://app.example/done", "https://app.example/done?a=1")).toBe(false);
    expect(forwards("https://app.example/done*", "https://app.example/done?a=1")).toBe(true);
    expect(forwards("http://127.0.0.1:4000/done", "http://127.0.0.1:4000/done")).toBe(true);
  });

  it("compares an encoded slash both as it is and as a slash", () => {
    const entry = "https://app.example/done*";
    expect(forwards(entry, "https://app.example/done/a%2Fb?next=%2Fhome")).toBe(true);
    for (const up of [
      "..%2f..%2fother",
      "%2e%2e%2F..%2fother",
      "..%5c..%5cother",
      "%2f..%2f..%2f..%2fother",
    ]) {
      expect([up, forwards(entry, `https://app.example/done/${up}`)]).toEqual([up, false]);
      expect([up, allows("https://app.example/a/*", `https://app.example/a/${up}`)]).toEqual([up, false]);
    }
  });

  it("allows hosts below a name, at the entry's path and port only", () => {
    const entry = "https://*.app.example/done";
    expect(forwards(entry, "https://eu.app.example/done")).toBe(true);
    expect(forwards(entry, "https://a.b.APP.example/done")).toBe(true);
    for (const url of [
      "https://app.example/done",
      "https://evilapp.example/done",
      "https://eu.app.example.evil.com/done",
      "https://evil.com/.app.example/done",
      "https://evil.com\\.app.example/done",
      "https://evil.com#.app.example/done",
      "https://evil.com?.app.example/done",
      "https://eu.app.example@evil.com/done",
      "https://x:y@eu.app.example/done",
      "https://eu.app.example:8443/done",
      "http://eu.app.example/done",
      "https://eu.app.example/done/more",
      "https://eu.app.example/other/../done/",
      "https://eu.app.example/done#code",
    ]) {
      expect([url, forwards(entry, url)]).toEqual([url, false]);
    }
    expect(forwards("https://*.app.example:8443/*", "https://eu.app.example:8443/any?thing")).toBe(true);
  });

  it("never allows a host that no entry has, whatever the URL", () => {
    const piece = fc.constantFrom(
      "https://",
      "eu.",
      ".app.example",
      "evil.com",
      "/",
      "\\",
      "@",
      ":",
      "..",
      "%2e",
      "?",
      "#",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const url = pieces.join("");
        if (forwards("https://*.app.example/*", url))
          expect(new URL(url).hostname).toMatch(/\.app\.example$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    "*",
    "https://*",
    "https://*/done",
    "https://*.com/done",
    "https://*.example",
    "https://*.*.app.example/done",
    "https://eu.*.app.example/done",
    "https://*app.example/done",
    "https://*.app.example*",
    "https://*.app.example.*/done",
    "http://*.app.example/done",
    "https://*.127.0.0.1/done",
    "https://.*/",
    "^https://app\\.example/.*$",
    "javascript:alert(1)//*",
    "https://u:p@app.example/",
    "https://app.example/#x",
    "//app.example/",
    "",
  ])("refuses an application URL like %j", (entry) => {
    expect(() => checkApplicationUrl(entry)).toThrowError(
      expect.objectContaining({ status: 400, detail: { field: "applicationUrl" } }),
    );
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
