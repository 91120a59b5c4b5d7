import { describe, expect, it } from "vitest";
import { vendorFailure } from "../../../functions/core/documents/vendor-failure.ts";
import { dropboxRefusal } from "../../../functions/core/documents/vendors/dropbox/refusals.ts";

const failure = (status: number, body: unknown) =>
  vendorFailure({ status, headers: {} }, body, dropboxRefusal(status, body), []);
const summary = (text: string) => ({ error_summary: text, error: { ".tag": text.split("/")[0] } });

// Members of the unions in https://github.com/dropbox/dropbox-api-spec (2026-11-27).
describe("Dropbox's refusals say what they are", () => {
  it.each([
    ["path/not_found/..", 404, "not_found"],
    ["shared_link_not_found/", 404, "not_found"],
    ["path/conflict/file/.", 409, "conflict"],
    ["path/not_file", 400, "not_a_file"],
    ["too_many_files/...", 400, "too_many_items"],
    ["access_denied/", 403, "forbidden"],
    ["shared_link_access_denied/.", 403, "forbidden"],
    ["settings_error/not_authorized/", 403, "forbidden"],
    ["to/access_restricted/.", 403, "forbidden"],
    ["from_lookup/locked/.", 403, "forbidden"],
    ["path/no_write_permission/", 403, "forbidden"],
    ["insufficient_quota/..", 409, "storage_full"],
    ["retry_error/", 503, "unavailable"],
    ["too_many_write_operations/.", 429, "rate_limited"],
    ["cant_copy_shared_folder/.", 400, "vendor_refused"],
  ])("409 %s", (text, status, code) => {
    expect(failure(409, summary(text))).toMatchObject({ status, code });
  });

  it("a missing scope is named, and is no ended token", () => {
    const body = {
      error_summary: "missing_scope/..",
      error: { ".tag": "missing_scope", required_scope: "files.content.write" },
    };
    expect(failure(401, body)).toMatchObject({
      status: 403,
      code: "missing_scope",
      message: expect.stringContaining("files.content.write"),
    });
    const ended = { error_summary: "expired_access_token/", error: { ".tag": "expired_access_token" } };
    expect(failure(401, ended)).toMatchObject({ status: 401, code: "vendor_unauthorized" });
  });

  it("a root folder that is not the account's any more is told, never replaced", () => {
    const moved = {
      ".tag": "invalid_root",
      invalid_root: { ".tag": "team", root_namespace_id: "8", home_namespace_id: "1" },
    };
    const body = { error_summary: "invalid_root/...", error: moved };
    expect(failure(422, body)).toMatchObject({
      status: 409,
      code: "conflict",
      message: expect.stringContaining("sign in again"),
    });
    const closed = { error_summary: "no_permission/", error: { ".tag": "no_permission" } };
    expect(failure(422, closed)).toMatchObject({ status: 403, code: "forbidden" });
  });
});
