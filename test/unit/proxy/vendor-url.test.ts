import fc from "fast-check";
import { describe, expect, it } from "vitest";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import googledrive from "../../../functions/connectors/vendors/googledrive.ts";
import { NotFound } from "../../../functions/core/errors.ts";
import { proxyUrl, vendorUrl } from "../../../functions/proxy/vendor-url.ts";
import { splitUrl } from "../../../functions/vendor-http/vendor-endpoints.ts";

const BASE = "https://linkspan.example/elements/api-v2/proxy";

describe("a call to the proxy", () => {
  it.each([
    ["/proxy/2/users/get_current_account", "https://api.dropboxapi.com/2/users/get_current_account"],
    ["/proxy/~content/2/files/upload", "https://content.dropboxapi.com/2/files/upload"],
    ["/proxy/%7Econtent/2/files/upload", "https://content.dropboxapi.com/2/files/upload"],
    ["/proxy/2/files/upload", "https://content.dropboxapi.com/2/files/upload"],
    ["/proxy/~/2/files/upload", "https://api.dropboxapi.com/2/files/upload"],
    ["/proxy/2/files/upload_session/start", "https://content.dropboxapi.com/2/files/upload_session/start"],
    [
      "/proxy/2/files/upload_session/start_batch",
      "https://api.dropboxapi.com/2/files/upload_session/start_batch",
    ],
    ["/proxy/2/files/downloads", "https://api.dropboxapi.com/2/files/downloads"],
    ["/proxy/~content", "https://content.dropboxapi.com/"],
    ["/proxy/", "https://api.dropboxapi.com/"],
    ["/proxy/a%2Fb/../c//d/./%2e%2e/%zz;x=1", "https://api.dropboxapi.com/a%2Fb/../c//d/./%2e%2e/%zz;x=1"],
    ["/proxy/ä b#c", "https://api.dropboxapi.com/%C3%A4%20b%23c"],
    ["/proxy/trailing/", "https://api.dropboxapi.com/trailing/"],
  ])("%s goes to %s", (path, url) => {
    expect(vendorUrl(dropbox.api, path, [])).toBe(url);
  });

  it.each([
    "~evil.example",
    "~constructor",
    "~__proto__",
    "~Content",
    "~content%2f",
    "~content@evil.example",
    "~content:80",
  ])("is refused for the host %s", (name) => {
    expect(() => vendorUrl(dropbox.api, `/proxy/${name}/x`, [])).toThrow(NotFound);
  });

  it("reaches only declared hosts, whatever the path and the query", () => {
    const declared = ["api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com"];
    const nasty = fc.constantFrom(
      "..",
      "//",
      "@",
      "evil.example",
      "%2f",
      "%5c",
      "\\",
      "\r\n",
      "%0d%0a",
      "~",
      "~content",
      "https:",
      ":",
      "?",
      "#",
      "%00",
      "．",
      "Host: x",
    );
    const part = fc.oneof(nasty, fc.string({ unit: "binary", maxLength: 5 }));
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), { maxLength: 3 }),
        (deps, query) => {
          let url: string;
          try {
            url = vendorUrl(dropbox.api, `/proxy/${deps.join("")}`, query);
          } catch (error) {
            expect((error as { status?: number }).status).toBeOneOf([400, 404]);
            return;
          }
          // Read both as our own client and as a browser would.
          expect(declared).toContain(splitUrl(url).host);
          expect(declared).toContain(new URL(url).host);
          expect(new URL(url).username).toBe("");
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("keeps the query's pairs, also empty and repeated ones", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }))),
        (query) => {
          const url = new URL(vendorUrl(googledrive.api, "/proxy/drive/v3/files", query));
          expect([...url.searchParams]).toEqual(query);
        },
      ),
    );
  });
});

describe("a vendor's URL", () => {
  it.each([
    ["https://api.dropboxapi.com/2/x?a=b%20c#d", `${BASE}/2/x?a=b%20c#d`],
    ["https://content.dropboxapi.com/2/files/upload", `${BASE}/~content/2/files/upload`],
    ["https://api.dropboxapi.com/2/files/upload", `${BASE}/~/2/files/upload`],
    ["https://api.dropboxapi.com/~content/x", `${BASE}/~/~content/x`],
    ["/2/next?page=2", `${BASE}/2/next?page=2`],
    ["?page=2", `${BASE}/2/list?page=2`],
    ["https://uc1.dropboxusercontent.com/x", "https://uc1.dropboxusercontent.com/x"],
    ["http://api.dropboxapi.com/2/x", "http://api.dropboxapi.com/2/x"],
    ["https://api.dropboxapi.com:8443/2/x", "https://api.dropboxapi.com:8443/2/x"],
    ["https://api.dropboxapi.com@evil.example/", "https://api.dropboxapi.com@evil.example/"],
    ["https://api.dropboxapi.com.evil.example/", "https://api.dropboxapi.com.evil.example/"],
    ["https://", "https://"],
  ])("%s is shown as %s", (url, shown) => {
    expect(proxyUrl(dropbox.api, url, "https://api.dropboxapi.com/2/list", BASE)).toBe(shown);
  });

  it("is the same URL again when the caller follows it through the proxy", () => {
    const origins = [dropbox.api.origin, ...Object.values(dropbox.api.hosts)];
    const segment = fc.oneof(
      fc.constantFrom("~", "~content", "%7Econtent", "2", "files", "upload", "download", ".", "%2F", ""),
      fc
        .stringMatching(/^[a-z0-9._~%!$&'()*+,;=:@-]{0,6}$/)
        .filter((text) => !/%(?![0-9a-f]{2})/i.test(text)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...origins), fc.array(segment, { maxLength: 5 }), (origin, segments) => {
        const url = new URL(`${origin}/${segments.join("/")}`).href;
        const shown = proxyUrl(dropbox.api, url, url, BASE);
        expect(vendorUrl(dropbox.api, shown.slice(BASE.length - "/proxy".length), [])).toBe(url);
      }),
      { numRuns: 1000 },
    );
  });
});
