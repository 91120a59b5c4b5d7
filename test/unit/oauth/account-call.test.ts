import { afterEach, beforeEach, describe, expect, it } from "vitest";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import googledrive from "../../../functions/connectors/vendors/googledrive.ts";
import { callAccount } from "../../../functions/core/oauth/account-call.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";
import { VendorServer } from "./vendor-server.ts";

let vendor: VendorServer;
beforeEach(async () => {
  vendor = await VendorServer.start("api.dropboxapi.com", "www.googleapis.com");
});
afterEach(() => vendor.close());

const askDropbox = () => callAccount(createVendorHttp(), dropbox, {}, "access");
const askDrive = () => callAccount(createVendorHttp(), googledrive, {}, "access");

describe("the account that granted access", () => {
  it("is read from Dropbox's get_current_account", async () => {
    const root_info = { ".tag": "team", root_namespace_id: "7", home_namespace_id: "1", home_path: "/Ann" };
    const told = { account_id: "dbid:1", name: { display_name: "Ann" }, email: "ann@example.com" };
    vendor.json(200, { ...told, root_info });
    const facts = { rootNamespace: "7", homeNamespace: "1" };
    const account = { id: "dbid:1", name: "Ann", email: "ann@example.com", facts };
    expect(await askDropbox()).toEqual({ kind: "told", account });
    expect(vendor.seen[0]).toMatchObject({ method: "POST", path: "/2/users/get_current_account" });
    expect(vendor.seen[0]?.headers.authorization).toBe("Bearer access");
  });

  it("is read from Drive's about", async () => {
    vendor.json(200, { user: { permissionId: "0123", displayName: "Ann" } });
    expect(await askDrive()).toEqual({ kind: "told", account: { id: "0123", name: "Ann" } });
    expect(vendor.seen[0]).toMatchObject({ method: "GET", path: "/drive/v3/about?fields=user" });
  });

  it.each([{}, { account_id: null }, { account_id: { toString: 1 } }, [], "dbid:1", { account: "dbid:1" }])(
    "is unknown when the answer is %j",
    async (body) => {
      vendor.json(200, body);
      expect(await askDropbox()).toEqual({ kind: "untold", status: 200 });
    },
  );
});

describe("a token has ended", () => {
  const said = (tag: string) => ({ error_summary: `${tag}/.`, error: { ".tag": tag } });

  it.each(["invalid_access_token", "expired_access_token"])(
    "when Dropbox answers %s with 401",
    async (tag) => {
      vendor.json(401, said(tag));
      expect(await askDropbox()).toEqual({ kind: "ended" });
      vendor.json(403, said(tag));
      expect(await askDropbox()).toEqual({ kind: "untold", status: 403 });
    },
  );

  it.each([
    "missing_scope",
    "invalid_select_user",
    "invalid_select_admin",
    "user_suspended",
    "route_access_denied",
    "other",
  ])("but not when Dropbox answers 401 with %s", async (tag) => {
    vendor.json(401, said(tag));
    expect(await askDropbox()).toEqual({ kind: "untold", status: 401 });
  });

  it("but not when the 401 has no readable error", async () => {
    for (const body of [
      "",
      "<h1>401</h1>",
      '"',
      "null",
      JSON.stringify([[[[[["invalid_access_token"]]]]]]),
    ]) {
      vendor.text(401, body);
      expect(await askDropbox()).toEqual({ kind: "untold", status: 401 });
    }
  });

  it.each([
    ['Bearer realm="https://accounts.google.com/", error="invalid_token"', "ended"],
    ["Bearer error=invalid_token", "ended"],
    ['Bearer error="insufficient_scope", error_description="not invalid_token"', "untold"],
    ['Bearer realm="x"', "untold"],
  ])("by RFC 6750: %s is %s", async (header, kind) => {
    vendor.text(401, "{}", { "WWW-Authenticate": header });
    expect(await askDrive()).toMatchObject({ kind });
  });
});
