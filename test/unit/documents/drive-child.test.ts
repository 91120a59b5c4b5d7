import { describe, expect, it } from "vitest";
import type { VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { googledrive } from "../../../functions/core/documents/vendors/googledrive/googledrive.ts";

interface File {
  readonly id: string;
  readonly name: string;
  readonly mimeType?: string;
}
const FOLDER = "application/vnd.google-apps.folder";

/** Answers files.list with these pages, one after another. */
function pages(...all: readonly (readonly File[])[]): { call: VendorCall; tokens: (string | null)[] } {
  const tokens: (string | null)[] = [];
  const json = async ({ url }: { url: string }) => {
    const token = new URL(url).searchParams.get("pageToken");
    tokens.push(token);
    const at = Number(token ?? "0");
    return { files: all[at] ?? [], ...(at + 1 < all.length ? { nextPageToken: String(at + 1) } : {}) };
  };
  return { call: { json } as unknown as VendorCall, tokens };
}

const find = async (call: VendorCall, prefer?: "folder") =>
  (await googledrive.child(call, "folder", "plan", prefer))?.id;

/** "The result of files.list may be incomplete": a page may hold fewer items than asked for, or none. */
describe("an item of Drive by its name", () => {
  it("is found behind pages that are empty or hold other items", async () => {
    const { call, tokens } = pages([], [{ id: "1", name: "PLAN" }], [{ id: "2", name: "plan" }]);
    expect(await find(call)).toBe("2");
    expect(tokens).toEqual([null, "1", "2"]);
  });

  it("is missing only when the last page has been read", async () => {
    expect(await find(pages([], [], []).call)).toBeUndefined();
  });

  it("is the newest of several; no page is read after it", async () => {
    const { call, tokens } = pages(
      [
        { id: "new", name: "plan" },
        { id: "old", name: "plan" },
      ],
      [{ id: "x", name: "plan" }],
    );
    expect(await find(call)).toBe("new");
    expect(tokens).toEqual([null]);
  });

  it("is a folder of that name where a folder is meant, also on a later page, and else the file", async () => {
    const both = [[{ id: "file", name: "plan" }], [{ id: "folder", name: "plan", mimeType: FOLDER }]];
    expect(await find(pages(...both).call, "folder")).toBe("folder");
    expect(await find(pages(...both).call)).toBe("file");
    expect(await find(pages([{ id: "file", name: "plan" }]).call, "folder")).toBe("file");
  });

  it("is an error when the list has no end", async () => {
    const json = async () => ({ files: [], nextPageToken: "more" });
    await expect(find({ json } as unknown as VendorCall)).rejects.toMatchObject({
      code: "vendor_bad_answer",
    });
  });
});
