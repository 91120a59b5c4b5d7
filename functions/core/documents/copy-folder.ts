import { InvalidRequest, LinkspanError, VendorError } from "../errors.ts";
import { present } from "../present.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { nameInPath } from "./names.ts";
import { joinPath } from "./path.ts";
import type { IdVendor, Target } from "./vendor.ts";

/** Most items that one call copies one by one. */
const MAX_COPIED = 2_000;
/** A folder copy ends, incomplete, when less than this time of the invocation is left. */
const CLEANUP_MS = 15_000;
/** Most missing items that an error names. */
const MAX_TOLD = 100;

/** An item that is not in the copy, and why. */
interface Missing {
  /** Below the folder that is copied. */
  readonly path: string;
  readonly code: string;
}

/** The copy as far as it has come. */
interface Progress {
  copied: number;
  readonly missing: Missing[];
}

export interface ItemCopies {
  readonly file: (item: DocumentsItem, target: Target) => Promise<DocumentsItem>;
  readonly folder: (target: Target) => Promise<DocumentsItem>;
}

/**
 * Copies a folder item by item, for vendors that can only copy files. An item that the vendor refuses to copy is left out, and
 * the error names it; what is copied stays.
 * @throws {VendorError} 502 `copy_incomplete`: `detail.copied` counts items, `detail.missing` names the others
 * @throws the first failure, if nothing was copied: then nothing is left
 */
export async function copyFolderItems(
  hub: HubContext,
  vendor: IdVendor,
  item: DocumentsItem,
  target: Target,
  copies: ItemCopies,
): Promise<DocumentsItem> {
  const copy = await copies.folder(target);
  const progress: Progress = { copied: 0, missing: [] };
  const walk = new FolderCopy(hub, vendor, copies, progress);
  try {
    await walk.children(item.reference, copy, "");
  } catch (error) {
    if (progress.copied === 0 || error instanceof InvalidRequest) {
      await vendor.remove(hub.call, copy, { forGood: true }).catch(() => {});
      throw error;
    }
    throw incomplete(target, progress, error);
  }
  const [first] = progress.missing;
  if (first === undefined) return copy;
  throw incomplete(target, progress);
}

class FolderCopy {
  readonly #hub: HubContext;
  readonly #vendor: IdVendor;
  readonly #copies: ItemCopies;
  readonly #progress: Progress;
  #count = 0;

  constructor(hub: HubContext, vendor: IdVendor, copies: ItemCopies, progress: Progress) {
    this.#hub = hub;
    this.#vendor = vendor;
    this.#copies = copies;
    this.#progress = progress;
  }

  async children(from: string, to: DocumentsItem, shown: string): Promise<void> {
    let cursor: string | undefined;
    do {
      const request = { limit: this.#vendor.maxPageSize, ...present({ cursor }) };
      const page = await this.#vendor.list(this.#hub.call, from, request);
      for (const child of page.items) await this.#child(child, to, shown);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async #child(child: DocumentsItem, to: DocumentsItem, shown: string): Promise<void> {
    if (++this.#count > MAX_COPIED) {
      throw new InvalidRequest(
        `this vendor copies file by file; a folder of more than ${MAX_COPIED} items is too large`,
      );
    }
    if (this.#hub.remainingMs() < CLEANUP_MS)
      throw new VendorError(502, "copy_incomplete", "there is no time left to copy the rest of the folder");
    const path = `${shown}/${nameInPath(this.#vendor, child)}`;
    const target: Target = {
      path: joinPath(to.path ?? "/", nameInPath(this.#vendor, child)),
      name: child.name,
      parent: to.reference,
    };
    try {
      const folder = await this.#one(child, target);
      this.#progress.copied++;
      if (folder !== undefined) await this.children(child.reference, folder, path);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#progress.missing.push({ path, code: error.code });
    }
  }

  /** @returns the copy of a folder, whose content is still to be copied */
  async #one(child: DocumentsItem, target: Target): Promise<DocumentsItem | undefined> {
    const { copyEntry } = this.#vendor;
    // A shortcut is copied as one: the folder that it leads to may hold the folder that is copied.
    if (child.entry !== undefined && copyEntry !== undefined) await copyEntry(this.#hub.call, child, target);
    else if (child.directory) return await this.#copies.folder(target);
    else await this.#copies.file(child, target);
    return undefined;
  }
}

/** Whether the vendor refuses this item alone: then the others can still be copied. */
function isRefusal(error: unknown): error is LinkspanError {
  return (
    error instanceof LinkspanError &&
    !(error instanceof InvalidRequest) &&
    [400, 403, 404, 409, 413].includes(error.status)
  );
}

function incomplete(target: Target, { copied, missing }: Progress, cause?: unknown): LinkspanError {
  const rest =
    cause === undefined ? "" : "; then the copy ended early, so items may be missing that are not named";
  return new LinkspanError(
    502,
    "copy_incomplete",
    `${copied} items were copied to ${target.path}, ${missing.length} were refused by the vendor${rest}`,
    {
      detail: { copied, missing: missing.slice(0, MAX_TOLD), endedEarly: cause !== undefined },
      ...present({ cause }),
    },
  );
}
