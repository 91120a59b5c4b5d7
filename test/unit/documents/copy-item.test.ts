import { beforeEach, describe, expect, it } from "vitest";
import { copyItem } from "../../../functions/core/documents/copy-item.ts";
import { hubContext } from "../../../functions/core/documents/hub-context.ts";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import type { PathVendor } from "../../../functions/core/documents/vendor.ts";
import type { VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { NotFound, VendorError } from "../../../functions/core/errors.ts";

/** A vendor with files by path, whose next calls may fail. */
class Files {
  readonly items = new Map<string, DocumentsItem>();
  readonly bin = new Map<string, DocumentsItem>();
  readonly failures: string[] = [];
  canRestore = true;

  put(path: string, content: string): DocumentsItem {
    const name = path.slice(1);
    const item: DocumentsItem = { id: path, reference: path, name, path, directory: false, raw: content };
    this.items.set(path, item);
    return item;
  }

  /** Path and content of all files. */
  contents(): Record<string, unknown> {
    return Object.fromEntries([...this.items].map(([path, { raw }]) => [path, raw]));
  }

  #may(name: string): void {
    const at = this.failures.indexOf(name);
    if (at < 0) return;
    this.failures.splice(at, 1);
    throw new VendorError(502, "vendor_error", `${name} failed`);
  }

  vendor(): PathVendor {
    const take = (path: string): DocumentsItem => {
      const item = this.items.get(path);
      if (item === undefined) throw new NotFound(`nothing at ${path}`);
      return item;
    };
    const vendor: Partial<PathVendor> = {
      addressing: "path",
      get: async (_, path) => take(path),
      copyFile: async (_, item, target) => {
        if (this.items.has(target.path)) throw new VendorError(409, "conflict", "it is there already");
        return this.put(target.path, String(take(item.reference).raw));
      },
      move: async (_, item, target) => {
        this.#may("move");
        const { raw } = take(item.reference);
        this.items.delete(item.reference);
        return this.put(target.path, String(raw));
      },
      remove: async (_, item) => {
        this.#may("remove");
        this.bin.set(item.reference, take(item.reference));
        this.items.delete(item.reference);
        return undefined;
      },
      ...(this.canRestore
        ? {
            restore: async (_: VendorCall, item: DocumentsItem) => {
              this.#may("restore");
              this.items.set(item.reference, this.bin.get(item.reference) as DocumentsItem);
            },
          }
        : {}),
    };
    return vendor as PathVendor;
  }
}

describe("a copy with overwrite", () => {
  let files: Files;
  beforeEach(() => {
    files = new Files();
  });

  const copyOver = async (...failures: string[]) => {
    const source = files.put("/a.txt", "new");
    files.put("/b.txt", "old");
    files.failures.push(...failures);
    const hub = hubContext(files.vendor(), {} as VendorCall, {
      remainingMs: () => 60_000,
      sleep: async () => {},
    });
    return await copyItem(hub, source, "/b.txt", true).then(
      () => "copied",
      (error: Error) => error.message,
    );
  };

  it.each([
    ["at once", []],
    ["even if the last step fails once", ["move"]],
  ])("replaces the existing file %s", async (_, failures) => {
    expect(await copyOver(...failures)).toBe("copied");
    expect(files.contents()).toEqual({ "/a.txt": "new", "/b.txt": "new" });
  });

  it.each([
    ["the old one cannot be removed", ["remove"], "remove failed"],
    ["the new one cannot take its place", ["move", "move"], "move failed"],
  ])("changes nothing when %s", async (_, failures, message) => {
    expect(await copyOver(...failures)).toBe(message);
    expect(files.contents()).toEqual({ "/a.txt": "new", "/b.txt": "old" });
  });

  it.each([
    ["fails to restore the old one", ["move", "move", "restore"], true],
    ["cannot restore files", ["move", "move"], false],
  ])("never loses both files when the vendor %s", async (_, failures, canRestore) => {
    files.canRestore = canRestore;
    expect(await copyOver(...failures)).toBe("move failed");
    expect(Object.values(files.contents())).toEqual(["new", "new"]);
  });
});
