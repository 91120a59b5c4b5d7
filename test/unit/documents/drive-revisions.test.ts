import { expect, it } from "vitest";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import type { VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { googledrive } from "../../../functions/core/documents/vendors/googledrive/googledrive.ts";

it("the newest revision of a file on Google Drive comes first, also if it is on the last of many pages", async () => {
  const pages = [["1", "2"], [], ["3"]];
  const json = async ({ url }: { url: string }) => {
    const at = Number(new URL(url).searchParams.get("pageToken") ?? "0");
    const next = at + 1 < pages.length ? { nextPageToken: String(at + 1) } : {};
    return { revisions: pages[at]?.map((id) => ({ id })), ...next };
  };
  const file = { reference: "file" } as DocumentsItem;
  const revisions = await googledrive.revisions?.({ json } as unknown as VendorCall, file);
  expect(revisions?.map(({ id }) => id)).toEqual(["3", "2", "1"]);
});
