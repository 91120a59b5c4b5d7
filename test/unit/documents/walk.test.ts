import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import { listPage } from "../../../functions/core/documents/list-page.ts";
import type { DocumentsVendor, PageRequest } from "../../../functions/core/documents/vendor.ts";
import type { VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { walkBelow } from "../../../functions/core/documents/walk.ts";

interface Tree {
  readonly [name: string]: Tree | "file" | "shortcut to the root";
}

/** A vendor that lists folders in parts of at most two items, some of them empty. */
function world(tree: Tree) {
  const lists: string[] = [];
  const at = (path: string): Tree =>
    path
      .split("/")
      .filter(Boolean)
      .reduce((folder, name) => folder[name] as Tree, tree);
  const itemOf = (folder: string, name: string): DocumentsItem => {
    const found = at(folder)[name];
    const path = `${folder === "/" ? "" : folder}/${name}`;
    const isShortcut = found === "shortcut to the root";
    return {
      id: path,
      reference: isShortcut ? "/" : path,
      name,
      directory: found !== "file",
      raw: {},
      ...(isShortcut ? { entry: path } : {}),
    };
  };
  const vendor = {
    addressing: "id",
    async list(_: VendorCall, folder: string, { limit, cursor = "0" }: PageRequest) {
      lists.push(folder);
      const names = Object.keys(at(folder));
      const [start, isEmptyPart] = [Number.parseInt(cursor, 10), cursor.endsWith("!")];
      if (isEmptyPart) return { items: [], cursor: String(start) };
      const end = start + Math.min(limit, 2);
      const items = names.slice(start, end).map((name) => itemOf(folder, name));
      return { items, ...(end < names.length ? { cursor: `${end}!` } : {}) };
    },
  } as unknown as DocumentsVendor;
  const root = { id: "/", reference: "/", name: "", path: "/", directory: true, raw: {} };
  return { walk: () => walkBelow({ vendor, call: {} as VendorCall }, root), lists };
}

function pathsBelow(tree: Tree, folder = ""): string[] {
  return Object.entries(tree).flatMap(([name, below]) => [
    `${folder}/${name}`,
    ...(typeof below === "string" ? [] : pathsBelow(below, `${folder}/${name}`)),
  ]);
}

const { tree: anyTree } = fc.letrec<{ tree: Tree; node: Tree | "file" }>((tie) => ({
  tree: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie("node"), { maxKeys: 5 }),
  node: fc.oneof({ maxDepth: 4 }, fc.constant("file" as const), tie("tree")),
}));

describe("the walk below a folder", () => {
  it("finds each item once, in pages of any size that join without gap or overlap, also in new calls", async () => {
    await fc.assert(
      fc.asyncProperty(anyTree, fc.integer({ min: 1, max: 7 }), async (tree, pageSize) => {
        const { walk } = world(tree);
        const found: string[] = [];
        let from: Awaited<ReturnType<typeof listPage>>["next"];
        do {
          // A new walk for each page, as in a new process.
          const page = await listPage(
            walk(),
            { pageSize, page: 1, ...(from === undefined ? {} : { from }) },
            100,
          );
          expect(page.items.length).toBeLessThanOrEqual(pageSize);
          found.push(...page.items.map(({ path }) => path ?? ""));
          from = page.next;
        } while (from !== undefined);
        expect(found.toSorted()).toEqual(pathsBelow(tree).toSorted());
      }),
      { numRuns: 200 },
    );
  });

  it("reads each part once in a call", async () => {
    const tree = { a: { b: { c: "file" }, d: "file" }, e: {} } as const;
    const { walk, lists } = world(tree);
    const { items } = await listPage(walk(), { pageSize: 100, page: 1 }, 100);
    expect(items).toHaveLength(5);
    expect(lists).toEqual(["/", "/a", "/a/b", "/e"]);
  });

  it("does not follow a shortcut, which may lead to a folder above it", async () => {
    const { walk, lists } = world({ a: { up: "shortcut to the root" } });
    const { items } = await listPage(walk(), { pageSize: 100, page: 1 }, 100);
    expect(items.map(({ path }) => path)).toEqual(["/a", "/a/up"]);
    expect(lists).toEqual(["/", "/a"]);
  });

  it("ends early with a next page when there is no time left, and goes on there", async () => {
    const { walk } = world({ a: { b: "file" }, c: { d: "file" } });
    let reads = 0;
    const mayGoOn = () => ++reads < 2;
    const first = await listPage(walk(), { pageSize: 100, page: 1, mayGoOn }, 100);
    expect(first.items.map(({ path }) => path)).toEqual(["/a", "/c", "/a/b"]);
    const rest = { pageSize: 100, page: 1, ...(first.next === undefined ? {} : { from: first.next }) };
    expect((await listPage(walk(), rest, 100)).items.map(({ path }) => path)).toEqual(["/c/d"]);
  });
});
