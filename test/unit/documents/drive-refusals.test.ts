import { describe, expect, it } from "vitest";
import { vendorFailure } from "../../../functions/core/documents/vendor-failure.ts";
import { googledrive } from "../../../functions/core/documents/vendors/googledrive/googledrive.ts";

/** An error in the form of https://developers.google.com/workspace/drive/api/guides/handle-errors (2026-11-27). */
function errorOf(status: number, reason: string, place: object = {}) {
  const message = `about ${reason}`;
  const body = {
    error: { code: status, message, errors: [{ domain: "global", reason, message, ...place }] },
  };
  const refusal = googledrive.refusal(status, body, {});
  const { code, status: answered, headers } = vendorFailure({ status, headers: {} }, body, refusal, []);
  return [answered, code, headers["Retry-After"]];
}

describe("an error of Google Drive", () => {
  it.each([
    ["accessNotConfigured", 403, "api_not_enabled"],
    ["cannotDownloadAbusiveFile", 403, "marked_as_malware"],
    ["downloadQuotaExceeded", 403, "download_quota_exceeded"],
    ["exportSizeLimitExceeded", 403, "export_too_large"],
    ["insufficientPermissions", 403, "missing_scope"],
    ["insufficientFilePermissions", 403, "forbidden"],
    ["appNotAuthorizedToFile", 403, "forbidden"],
    ["domainPolicy", 403, "forbidden"],
    ["cannotCopyFile", 403, "forbidden"],
    ["storageQuotaExceeded", 409, "storage_full"],
  ])("403 %s says what it is", (reason, status, code) => {
    expect(errorOf(403, reason)).toEqual([status, code, undefined]);
  });

  it.each([
    [403, "userRateLimitExceeded"],
    [403, "rateLimitExceeded"],
    [403, "sharingRateLimitExceeded"],
    [403, "dailyLimitExceeded"],
    [429, "rateLimitExceeded"],
  ])("%i %s is a rate limit with a time to wait, which Google does not send", (status, reason) => {
    expect(errorOf(status, reason)).toEqual([429, "rate_limited", "10"]);
  });

  it("about a page token asks for a new beginning of the list", () => {
    const place = { locationType: "parameter", location: "pageToken" };
    expect(errorOf(400, "invalid", place).slice(0, 2)).toEqual([400, "invalid_request"]);
  });
});
