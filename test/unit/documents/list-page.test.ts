import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import { compareBy } from "../../../functions/core/documents/item-filter.ts";
import { type ListRequest, listPage, type Position } from "../../../functions/core/documents/list-page.ts";
import type { PageRequest, VendorPage } from "../../../functions/core/documents/vendor.ts";
import { file } from "./items.ts";

/** A vendor that gives its list in parts of any size: also empty ones, and a last cursor that leads to an empty part. */
function vendorOf(sizes: readonly number[], endsWithEmptyPart: boolean) {
  const deps: DocumentsItem[][] = [];
  let count = 0;
  for (const size of sizes) {
    deps.push(
      Array.from({ length: size }, () => file(`f${String(count++).padStart(4, "0")}`, { size: count % 7 })),
    );
  }
  if (endsWithEmptyPart) deps.push([]);
  const read = async ({ cursor }: PageRequest): Promise<VendorPage> => {
    const at = cursor === undefined ? 0 : Number(cursor);
    return { items: deps[at] ?? [], ...(at + 1 < deps.length ? { cursor: String(at + 1) } : {}) };
  };
  return { all: deps.flat(), read };
}

async function everyPage(
  read: (page: PageRequest) => Promise<VendorPage>,
  request: Omit<ListRequest, "page">,
): Promise<DocumentsItem[][]> {
  const pages: DocumentsItem[][] = [];
  let from: Position | undefined;
  do {
    const page = await listPage(read, { ...request, page: 1, ...(from === undefined ? {} : { from }) }, 1000);
    pages.push([...page.items]);
    from = page.next;
  } while (from !== undefined && pages.length < 500);
  return pages;
}

const vendors = fc
  .tuple(fc.array(fc.nat({ max: 9 }), { maxLength: 12 }), fc.boolean())
  .map(([sizes, empty]) => vendorOf(sizes, empty));
const pageSizes = fc.integer({ min: 1, max: 20 });
const tests = fc.constantFrom(
  undefined,
  (item: DocumentsItem) => item.size === 3,
  () => false,
  (item: DocumentsItem) => (item.size ?? 0) > 1,
);
const sorts = fc.constantFrom(undefined, compareBy({ field: "size", descending: true }));

describe("pages made from a vendor's parts", () => {
  it("have no gap or overlap; all but the last are full, and the last has no next page", async () => {
    await fc.assert(
      fc.asyncProperty(vendors, pageSizes, tests, sorts, async (vendor, pageSize, test, sort) => {
        const pages = await everyPage(vendor.read, {
          pageSize,
          ...(test && { test }),
          ...(sort && { sort }),
        });
        const expected = vendor.all.filter((item) => test?.(item) ?? true);
        if (sort) expected.sort(sort);
        expect(pages.flat().map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        for (const page of pages.slice(0, -1)) expect(page).toHaveLength(pageSize);
        if (pages.length > 1) expect(pages.at(-1)).not.toHaveLength(0);
      }),
    );
  });

  it("are the same by number and by token, and pages 1 and 2 of size n are page 1 of size 2n", async () => {
    await fc.assert(
      fc.asyncProperty(vendors, pageSizes, tests, async (vendor, pageSize, test) => {
        const request = { pageSize, ...(test && { test }) };
        const byToken = await everyPage(vendor.read, request);
        const byNumber = async (page: number, size: number) =>
          (await listPage(vendor.read, { ...request, pageSize: size, page }, 1000)).items;
        expect(await byNumber(2, pageSize)).toEqual(byToken[1] ?? []);
        expect([...(await byNumber(1, pageSize)), ...(await byNumber(2, pageSize))]).toEqual(
          await byNumber(1, 2 * pageSize),
        );
      }),
    );
  });

  it("have the total when the whole list was read", async () => {
    const { read } = vendorOf([3, 0, 4], false);
    expect(await listPage(read, { pageSize: 10, page: 1 }, 1000)).toMatchObject({ total: 7 });
    expect((await listPage(read, { pageSize: 5, page: 1 }, 1000)).total).toBeUndefined();
  });

  it("end at a vendor that always gives the same cursor", async () => {
    const read = async (): Promise<VendorPage> => ({ items: [], cursor: "again" });
    expect((await listPage(read, { pageSize: 10, page: 1 }, 1000)).items).toEqual([]);
  });

  it("end a call after a limited number of items, with a token for the rest", async () => {
    const part = Array.from({ length: 1000 }, (_, index) => file(`f${index}`));
    let calls = 0;
    const read = async (): Promise<VendorPage> => ({ items: part, cursor: String(++calls) });
    const page = await listPage(read, { pageSize: 10, page: 1, test: () => false }, 1000);
    expect(page.items).toEqual([]);
    expect(page.next).toBeDefined();
    expect(calls).toBeLessThan(50);
  });
});
