import { describe, expect, it } from "vitest";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import type { VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { search } from "../../../functions/core/documents/vendors/googledrive/search.ts";

/** Answers files.list for folders: each has the same number of folders in it, down to a depth. */
function drive({ wide, deep }: { wide: number; deep: number }) {
  const queries: string[] = [];
  const json = async ({ url }: { url: string }) => {
    const q = new URL(url).searchParams.get("q") ?? "";
    queries.push(q);
    if (!q.startsWith("mimeType")) return { files: [] };
    const parents = [...q.matchAll(/'([\w.]+)' in parents/g)].map(([, id = ""]) => id);
    const files = parents.flatMap((parent) =>
      parent.split(".").length > deep
        ? []
        : Array.from({ length: wide }, (_, index) => ({
            id: `${parent}.${index}`,
            name: `${index}`,
            parents: [parent],
          })),
    );
    return { files };
  };
  return { call: { json } as unknown as VendorCall, queries };
}

const folder = (raw: object): DocumentsItem => ({
  id: "top",
  reference: "top",
  name: "Top",
  path: "/Top",
  directory: true,
  raw,
});
const mine = () => folder({ ownedByMe: true });

async function allParts(call: VendorCall, below: DocumentsItem) {
  let cursor: string | undefined;
  let parts = 0;
  let incomplete = false;
  do {
    const page = await search(
      call,
      { folder: below },
      { limit: 100, ...(cursor === undefined ? {} : { cursor }) },
    );
    ({ cursor } = page);
    incomplete ||= page.incomplete === true;
    parts++;
  } while (cursor !== undefined && parts < 100);
  return { parts, incomplete };
}

describe("a search below a folder of Google Drive", () => {
  it("names 50 folders in one query, and reads the tree of folders once for all parts", async () => {
    const { call, queries } = drive({ wide: 10, deep: 2 });
    // 1 + 10 + 100 folders: one, one and two queries for the folders in them, and three for the items.
    expect(await allParts(call, mine())).toEqual({ parts: 3, incomplete: false });
    expect(queries).toHaveLength(4 + 3);
  });

  it("names each folder for itself where other people share it", async () => {
    const { call, queries } = drive({ wide: 3, deep: 1 });
    expect(await allParts(call, folder({ ownedByMe: false }))).toEqual({ parts: 4, incomplete: false });
    expect(queries.every((q) => q.split(" in parents").length === 2)).toBe(true);
  });

  it("goes through 1,000 folders, and says when there are more", async () => {
    const { call, queries } = drive({ wide: 40, deep: 3 });
    expect((await allParts(call, mine())).incomplete).toBe(true);
    expect(queries.length).toBeLessThan(60);
    const circle = { json: async () => ({ files: [{ id: "top", name: "x", parents: ["top"] }] }) };
    expect((await allParts(circle as unknown as VendorCall, mine())).parts).toBe(1);
  });
});
