import { present } from "../present.ts";
import type { HubContext } from "./hub-context.ts";
import type { DocumentsItem } from "./item.ts";
import { nameInPath } from "./names.ts";
import { joinPath } from "./path.ts";
import type { PageRequest, VendorPage } from "./vendor.ts";

/** Most levels of folders below the first one; a deeper hierarchy must be a circle. */
const MAX_DEPTH = 200;

/** A folder on the way to where the walk is. */
interface Frame {
  readonly reference: string;
  readonly path?: string;
  /** The vendor's cursor of the part of the folder's list in which the walk is. */
  readonly cursor?: string;
  /** Place in that part of the folder in which the next frame is. Absent: the part has not been read yet. */
  readonly index?: number;
}

/**
 * Lists all items below a folder, for vendors that have no call for this: a part is one part of one folder's list, and the
 * cursor is the way to it. Does not follow shortcuts.
 * @param below called once for each list; the returned function reads its parts
 */
export function walkBelow(
  hub: Pick<HubContext, "vendor" | "call">,
  below: DocumentsItem,
): (page: PageRequest) => Promise<VendorPage> {
  /** Parts of the folders on the way, which are read again only when a later call goes on. */
  const parts = new Map<string, VendorPage>();
  const keyOf = ({ reference, cursor }: Frame): string => JSON.stringify([reference, cursor]);

  async function partAt(frame: Frame, limit: number): Promise<VendorPage> {
    const key = keyOf(frame);
    const known = parts.get(key);
    if (known !== undefined) return known;
    const { reference, path, cursor } = frame;
    const part = await hub.vendor.list(hub.call, reference, { limit, ...present({ cursor }) });
    const items = part.items.map((item) => withPathBelow(hub, item, path));
    parts.set(key, { ...part, items });
    return { ...part, items };
  }

  /** The way to the part that comes next. @returns undefined: there is none */
  async function nextOf(way: readonly Frame[], limit: number): Promise<Frame[] | undefined> {
    const left = [...way];
    for (let frame = left.pop(); frame !== undefined; frame = left.pop()) {
      const { items, cursor } = await partAt(frame, limit);
      const after = frame.index ?? -1;
      const index =
        left.length >= MAX_DEPTH ? -1 : items.findIndex((item, at) => at > after && isWalked(item));
      const folder = items[index];
      if (folder !== undefined) {
        const { reference, path } = folder;
        return [...left, { ...frame, index }, { reference, ...present({ path }) }];
      }
      parts.delete(keyOf(frame));
      const { reference, path } = frame;
      if (cursor !== undefined) return [...left, { reference, cursor, ...present({ path }) }];
    }
    return undefined;
  }

  return async ({ limit, cursor }) => {
    const { reference, path } = below;
    const way: Frame[] = cursor === undefined ? [{ reference, ...present({ path }) }] : JSON.parse(cursor);
    const part = await partAt(way.at(-1) as Frame, limit);
    const next = await nextOf(way, limit);
    return {
      items: part.items,
      ...(next === undefined ? {} : { cursor: JSON.stringify(next) }),
      ...present({ incomplete: part.incomplete }),
    };
  };
}

/** A shortcut may lead to a folder above it. */
function isWalked(item: DocumentsItem): boolean {
  return item.directory && item.entry === undefined;
}

function withPathBelow(
  { vendor }: Pick<HubContext, "vendor">,
  item: DocumentsItem,
  folder: string | undefined,
): DocumentsItem {
  if (item.path !== undefined || folder === undefined) return item;
  return { ...item, path: joinPath(folder, nameInPath(vendor, item)) };
}
