import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readVendorAccounts, vendorTable } from "../../local/vendor-table.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "linkspan-vendors-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, content: unknown) =>
  writeFileSync(path.join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
const standIns = {
  dropbox: {
    connector: "dropbox",
    origin: "http://127.0.0.1:1",
    hosts: ["api.dropboxapi.com", "www.dropbox.com"],
  },
  googledrive: { connector: "googledrive", origin: "http://127.0.0.1:2", hosts: ["www.googleapis.com"] },
} as unknown as Record<string, StandIn>;

describe("the server for a vendor's host", () => {
  it("is the stand-in of each connector", () => {
    expect(vendorTable(standIns, {}, folder)).toEqual({
      "api.dropboxapi.com": "http://127.0.0.1:1",
      "www.dropbox.com": "http://127.0.0.1:1",
      "www.googleapis.com": "http://127.0.0.1:2",
    });
  });

  it("is the real vendor for a connector with a real account", () => {
    const accounts = { dropbox: { clientId: "a", clientSecret: "b" } };
    expect(vendorTable(standIns, accounts, folder)).toEqual({ "www.googleapis.com": "http://127.0.0.1:2" });
  });

  it("is the one of vendors.json, which adds and overrides", () => {
    put("vendors.json", {
      "API.dropboxapi.com": "http://127.0.0.1:9000",
      "api.example.com": "https://test.example",
    });
    expect(vendorTable(standIns, {}, folder)).toMatchObject({
      "api.dropboxapi.com": "http://127.0.0.1:9000",
      "www.dropbox.com": "http://127.0.0.1:1",
      "api.example.com": "https://test.example",
    });
  });

  it.each([
    ["not JSON", "{", /not valid JSON/],
    ["not an object", "[]", /one JSON object/],
    [
      "an object with a path after an origin",
      { "api.example.com": "http://127.0.0.1:9000/v1" },
      /must be an origin/,
    ],
  ])("is an error when vendors.json is %s", (_, content, message) => {
    put("vendors.json", content);
    expect(() => vendorTable(standIns, {}, folder)).toThrow(message);
  });
});

describe("real vendor accounts", () => {
  const read = () => readVendorAccounts([folder], ["dropbox", "googledrive"]);

  it("are none without a file", () => expect(read()).toEqual({}));

  it("are read from vendor-accounts.json", () => {
    put("vendor-accounts.json", { dropbox: { clientId: "id", clientSecret: "secret" } });
    expect(read()).toEqual({ dropbox: { clientId: "id", clientSecret: "secret" } });
  });

  it.each([
    [
      "an unknown connector",
      { dropbix: { clientId: "a", clientSecret: "b" } },
      /no connector dropbix; there are dropbox/,
    ],
    ["no client id", { dropbox: { clientSecret: "b" } }, /dropbox\.clientId is missing/],
    ["no client secret", { dropbox: { clientId: "s3cret" } }, /dropbox\.clientSecret is missing/],
  ])("give an error about %s, without a secret", (_, content, message) => {
    put("vendor-accounts.json", content);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/s3cret/);
  });
});
