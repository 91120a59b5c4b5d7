import { describe, expect, it } from "vitest";
import { copyItem } from "../../../functions/core/documents/copy-item.ts";
import { changeItem, createFolder, removeItem, uploadFile } from "../../../functions/core/documents/hub.ts";
import { type HubContext, hubContext } from "../../../functions/core/documents/hub-context.ts";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import { nameOf, parentOf } from "../../../functions/core/documents/path.ts";
import type { DocumentsVendor, Target } from "../../../functions/core/documents/vendor.ts";
import type { VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { NotFound } from "../../../functions/core/errors.ts";

/** A vendor made for these tests: items by path, ids like `#/a/b`, and a list of the calls that it got. */
function world(traits: object, paths: readonly string[]) {
  const calls: string[] = [];
  const items = new Map<string, boolean>([["/", true]]);
  for (const path of paths) items.set(path.replace(/\/$/, ""), path.endsWith("/"));
  const byId = !("addressing" in traits);
  const referenceOf = (path: string) => (byId ? `#${path}` : path);
  const pathOf = (reference: string) => reference.replace(/^#/, "");
  const itemAt = (path: string): DocumentsItem => {
    const directory = items.get(path);
    if (directory === undefined) throw new NotFound("nothing there");
    const reference = referenceOf(path);
    const parent =
      path === "/"
        ? {}
        : { parentId: `id of ${parentOf(path)}`, parentReference: referenceOf(parentOf(path)) };
    return {
      id: `id of ${path}`,
      reference,
      name: nameOf(path),
      directory,
      size: 1,
      ...parent,
      raw: {},
      ...(byId ? {} : { path }),
    };
  };
  const put = (target: Target, directory: boolean): DocumentsItem => {
    const path = `${pathOf(target.parent) === "/" ? "" : pathOf(target.parent)}/${target.name}`;
    items.set(path, directory);
    return itemAt(path);
  };
  const vendor = {
    connector: "test",
    addressing: "id",
    rootReference: "#/",
    maxPageSize: 100,
    openId: (id: string) => referenceOf(id),
    root: async () => itemAt("/"),
    async get(_: VendorCall, reference: string) {
      calls.push(`get ${pathOf(reference)}`);
      return itemAt(pathOf(reference));
    },
    async child(_: VendorCall, folder: string, name: string) {
      const path = `${pathOf(folder) === "/" ? "" : pathOf(folder)}/${name}`;
      calls.push(`child ${path}`);
      return items.has(path) ? itemAt(path) : undefined;
    },
    async upload(_: VendorCall, target: Target) {
      calls.push(`upload ${target.name} to ${pathOf(target.parent)}`);
      return put(target, false);
    },
    async createFolder(_: VendorCall, target: Target) {
      calls.push(`folder ${target.name} in ${pathOf(target.parent)}`);
      return put(target, true);
    },
    async move(_: VendorCall, item: DocumentsItem, target: Target) {
      calls.push(`move ${pathOf(item.reference)} to ${target.name} in ${pathOf(target.parent)}`);
      items.delete(pathOf(item.reference));
      return put(target, item.directory);
    },
    async copyFile(_: VendorCall, item: DocumentsItem, target: Target) {
      calls.push(`copy ${pathOf(item.reference)} to ${target.name} in ${pathOf(target.parent)}`);
      return put(target, false);
    },
    async remove(_: VendorCall, item: DocumentsItem) {
      calls.push(`remove ${pathOf(item.reference)}`);
      items.delete(pathOf(item.reference));
      return undefined;
    },
    ...traits,
  } as unknown as DocumentsVendor;
  let now = 0;
  const timed = {
    remainingMs: () => 60_000 - now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const hub: HubContext = hubContext(vendor, {} as VendorCall, timed);
  return { hub, calls, items, itemAt, put, waitedMs: () => now };
}

const upload = (hub: HubContext, path: string) =>
  uploadFile(hub, { path, overwrite: false, bytes: Buffer.from("x"), mimeType: "text/plain", details: {} });

describe("the port's traits", () => {
  it("without any: walks down, looks for the name, and makes each missing parent", async () => {
    const existing = world({}, ["/a/"]);
    await upload(existing.hub, "/a/c.txt");
    expect(existing.calls).toEqual(["child /a", "child /a/c.txt", "upload c.txt to /a"]);
    const missing = world({}, ["/a/"]);
    await upload(missing.hub, "/a/b/c/d.txt");
    // A folder that was just made is empty.
    expect(missing.calls).toEqual([
      "child /a",
      "child /a/b",
      "folder b in /a",
      "folder c in /a/b",
      "upload d.txt to /a/b/c",
    ]);
  });

  it("findsConflicts: does not look for the name", async () => {
    const { hub, calls } = world({ findsConflicts: true }, ["/a/"]);
    await upload(hub, "/a/c.txt");
    expect(calls).toEqual(["child /a", "upload c.txt to /a"]);
  });

  it("byPath: finds a deep folder in one call; walks only if it is missing", async () => {
    const found: string[] = [];
    const traits = (itemAt: () => (path: string) => DocumentsItem) => ({
      findsConflicts: true,
      async byPath(_: VendorCall, path: string) {
        found.push(path);
        return itemAt()(path);
      },
    });
    const one: ReturnType<typeof world> = world(
      traits(() => one.itemAt),
      ["/a/", "/a/b/", "/a/b/c/"],
    );
    await upload(one.hub, "/a/b/c/d.txt");
    expect([found, one.calls]).toEqual([["/a/b/c"], ["upload d.txt to /a/b/c"]]);
    found.length = 0;
    const two: ReturnType<typeof world> = world(
      traits(() => two.itemAt),
      ["/a/"],
    );
    await upload(two.hub, "/a/b/d.txt");
    expect(found).toEqual(["/a/b"]);
    expect(two.calls).toEqual(["child /a", "child /a/b", "folder b in /a", "upload d.txt to /a/b"]);
  });

  it("paths as references, without makesParents: makes the missing parents from the deepest that exists", async () => {
    const { hub, calls } = world({ addressing: "path", findsConflicts: true }, ["/a/"]);
    await upload(hub, "/a/b/c/d.txt");
    expect(calls).toEqual([
      "get /a/b/c",
      "get /a/b",
      "get /a",
      "folder b in /a",
      "folder c in /a/b",
      "upload d.txt to /a/b/c",
    ]);
    const other = world({ addressing: "path", findsConflicts: true, makesParents: true }, []);
    await upload(other.hub, "/a/b/c.txt");
    expect(other.calls).toEqual(["upload c.txt to /a/b"]);
  });

  it("paths as references, without findsConflicts: an existing file is a conflict", async () => {
    const { hub } = world({ addressing: "path", makesParents: true }, ["/a.txt"]);
    await expect(upload(hub, "/a.txt")).rejects.toMatchObject({ status: 409 });
  });

  it.each(["path", undefined])(
    "a file is never a folder above another (addressing %s)",
    async (addressing) => {
      const { hub } = world(addressing === undefined ? {} : { addressing }, ["/a.txt"]);
      await expect(upload(hub, "/a.txt/b.txt")).rejects.toMatchObject({ status: 409 });
    },
  );
});

describe("a vendor's rules for names", () => {
  const names = { refuse: (name: string) => (name.endsWith(" ") ? "no name ends with a space" : undefined) };

  it.each([{}, { addressing: "path", makesParents: true, findsConflicts: true }])(
    "refuse new, moved and renamed items, with the rule and the field (%j)",
    async (traits) => {
      const { hub, calls } = world({ ...traits, names }, ["/a.txt"]);
      const refused = {
        status: 400,
        detail: { field: "path" },
        message: expect.stringContaining("no name ends with a space"),
      };
      await expect(upload(hub, "/b ")).rejects.toMatchObject(refused);
      await expect(createFolder(hub, "/b ", {})).rejects.toMatchObject(refused);
      await expect(changeItem(hub, { path: "/a.txt" }, { path: "/b " })).rejects.toMatchObject(refused);
      await expect(changeItem(hub, { path: "/a.txt" }, { name: "b " })).rejects.toMatchObject({
        status: 400,
      });
      expect(calls.filter((call) => !/^(get|child)/.test(call))).toEqual([]);
    },
  );

  it("do not touch the name of an item that only changes its folder", async () => {
    const shown = { shown: (name: string) => name.replaceAll(":", "꞉") };
    const { hub, calls } = world({ names: { ...names, ...shown } }, ["/a/", "/x:y"]);
    const item = hub.paths.item({ id: "/x:y" });
    expect((await item).path).toBe("/x꞉y");
    await changeItem(hub, { id: "/x:y" }, { path: "/a/x꞉y" });
    expect(calls).toContain("move /x:y to x:y in /a");
  });
});

describe("several roots in one instance", () => {
  const rootOf = (reference: string) => reference.split("/")[1] ?? "";

  it("a move between them is a copy, a check and a removal", async () => {
    const { hub, calls, items } = world({ rootOf }, ["/one/", "/two/", "/one/a.txt"]);
    await changeItem(hub, { path: "/one/a.txt" }, { path: "/two/b.txt" });
    expect(calls.slice(-2)).toEqual(["copy /one/a.txt to b.txt in /two", "remove /one/a.txt"]);
    expect([items.has("/one/a.txt"), items.has("/two/b.txt")]).toEqual([false, true]);
  });

  it("keeps the original if the copy is not whole", async () => {
    const short = async (_: VendorCall, __: DocumentsItem, target: Target) => ({
      ...made.put(target, false),
      size: 0,
    });
    const made: ReturnType<typeof world> = world({ rootOf, copyFile: short }, [
      "/one/",
      "/two/",
      "/one/a.txt",
    ]);
    await expect(changeItem(made.hub, { path: "/one/a.txt" }, { path: "/two/b.txt" })).rejects.toMatchObject({
      status: 502,
    });
    expect(made.items.has("/one/a.txt")).toBe(true);
  });

  it("within one, nothing is copied", async () => {
    const { hub, calls } = world({ rootOf }, ["/one/", "/one/c/", "/one/a.txt"]);
    await changeItem(hub, { path: "/one/a.txt" }, { path: "/one/c/a.txt" });
    expect(calls.at(-1)).toBe("move /one/a.txt to a.txt in /one/c");
  });
});

describe("a task that the vendor has only accepted", () => {
  const slowly = (polls: number) => {
    let asked = 0;
    return { poll: async () => (++asked < polls ? undefined : {}), asked: () => asked };
  };

  it("is asked for until it is done, with growing waits", async () => {
    const { poll, asked } = slowly(4);
    const made: ReturnType<typeof world> = world({ poll, remove: async () => ({ pending: "task" }) }, [
      "/a.txt",
    ]);
    await removeItem(made.hub, { path: "/a.txt" }, "file", { forGood: false });
    expect([asked(), made.waitedMs()]).toEqual([4, 250 + 500 + 1000]);
  });

  it("gives the item that it made", async () => {
    const { poll } = slowly(1);
    const copyFile = async (_: VendorCall, __: DocumentsItem, target: Target) => {
      made.put(target, false);
      return { pending: "task" };
    };
    const made: ReturnType<typeof world> = world({ poll, copyFile }, ["/a.txt"]);
    const copied = await copyItem(made.hub, made.itemAt("/a.txt"), "/b.txt", false);
    expect(copied).toMatchObject({ reference: "#/b.txt", path: "/b.txt" });
  });
});
