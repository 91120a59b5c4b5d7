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
  #made = 0;

  put(path: string, content: string, refId = `id ${++this.#made}`): DocumentsItem {
    const name = path.slice(1);
    const item: DocumentsItem = {
      id: path,
      reference: path,
      refId,
      name,
      path,
      directory: false,
      size: content.length,
      raw: content,
    };
    this.items.set(path, item);
    return item;
  }

  /** Path and content of all files. */
  contents(): Record<string, unknown> {
    return Object.fromEntries([...this.items].map(([path, { raw }]) => [path, raw]));
  }

  /** The vendor does it, and the answer is lost. */
  #lost(name: string): void {
    this.#may(`${name}, answer lost`);
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
        this.#may("copy");
        const made = this.put(target.path, String(take(item.reference).raw));
        this.#lost("copy");
        return made;
      },
      move: async (_, item, target) => {
        this.#may("move");
        const { raw } = take(item.reference);
        this.items.delete(item.reference);
        const moved = this.put(target.path, String(raw), item.refId);
        this.#lost("move");
        return moved;
      },
      remove: async (_, item) => {
        this.#may("remove");
        this.bin.set(item.reference, take(item.reference));
        this.items.delete(item.reference);
        this.#lost("remove");
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
    ["even if the answer to the copy is lost", ["copy, answer lost"]],
    ["even if the answer to the removal is lost", ["remove, answer lost"]],
    ["even if the answer to the last step is lost", ["move, answer lost"]],
    ["even if all answers are lost", ["copy, answer lost", "remove, answer lost", "move, answer lost"]],
  ])("replaces the existing file %s", async (_, failures) => {
    expect(await copyOver(...failures)).toBe("copied");
    expect(files.contents()).toEqual({ "/a.txt": "new", "/b.txt": "new" });
  });

  it.each([
    ["the copy fails", ["copy"], "copy failed"],
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
