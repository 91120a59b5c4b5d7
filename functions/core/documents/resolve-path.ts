import { Conflict, InvalidRequest, LinkspanError, NotFound } from "../errors.ts";
import type { DocumentsItem } from "./item.ts";
import { joinPath, nameOf, namesOf, parentOf } from "./path.ts";
import type { DocumentsVendor, IdVendor, Located, Target } from "./vendor.ts";
import type { VendorCall } from "./vendor-call.ts";

/** How a caller names a file or folder: by path, or by id as it stood in the URL. */
export type Named = { readonly path: string } | { readonly id: string };

/** A folder hierarchy deeper than this is a circle. */
const MAX_DEPTH = 200;

/**
 * Finds what paths and ids name. Lives for one call: what it remembers (folder id -> path) is never carried over, since a
 * path that was deleted and made again is another item.
 */
export interface PathResolver {
  /** What the vendor's calls take; asks the vendor only where it has no paths. @throws {NotFound} */
  locate(named: Named): Promise<Located>;
  /** The item itself, with its path unless `withoutPath`. @throws {NotFound} */
  item(named: Named, options?: { withoutPath?: boolean }): Promise<DocumentsItem>;
  /** Adds the path where the vendor did not tell it. */
  withPath(item: DocumentsItem): Promise<DocumentsItem>;
  /** Where something shall be; missing parents are made. @throws {Conflict} a file is in the way */
  target(path: string): Promise<Target>;
  /** The same in a folder that is known. */
  targetIn(folder: DocumentsItem, name: string): Promise<Target>;
}

export function pathResolver(vendor: DocumentsVendor, call: VendorCall): PathResolver {
  return vendor.addressing === "path" ? resolveByPath(vendor, call) : resolveById(vendor, call);
}

function resolveByPath(
  vendor: Extract<DocumentsVendor, { addressing: "path" }>,
  call: VendorCall,
): PathResolver {
  const reference = (named: Named): string => ("path" in named ? named.path : vendor.openId(named.id));
  const target = (path: string): Target => ({ path, name: nameOf(path), parent: parentOf(path) });
  return {
    locate: async (named) => ({ reference: reference(named) }),
    item: async (named) => vendor.get(call, reference(named)),
    withPath: async (item) => item,
    target: async (path) => target(path),
    targetIn: async (folder, name) => target(joinPath(folder.path ?? "/", name)),
  };
}

function resolveById(vendor: IdVendor, call: VendorCall): PathResolver {
  const paths = new Map<string, Promise<string>>();
  let root: Promise<DocumentsItem> | undefined;

  const getRoot = (): Promise<DocumentsItem> => {
    root ??= vendor.root(call);
    return root;
  };

  /** Walks down; `undefined` where something is missing. */
  async function step(folder: string, path: string, name: string): Promise<DocumentsItem | undefined> {
    const child = await vendor.child(call, folder, name);
    if (child?.parentId !== undefined) paths.set(child.parentId, Promise.resolve(path));
    return child === undefined ? undefined : { ...child, path: joinPath(path, name) };
  }

  async function walk(path: string): Promise<DocumentsItem> {
    if (path === "/") return getRoot();
    let at: { reference: string; path: string; item?: DocumentsItem } = {
      reference: vendor.rootReference,
      path: "/",
    };
    for (const name of namesOf(path)) {
      if (at.item !== undefined && !at.item.directory) throw missing(path);
      const item = await step(at.reference, at.path, name);
      if (item === undefined) throw missing(path);
      at = { reference: item.reference, path: joinPath(at.path, name), item };
    }
    return at.item as DocumentsItem;
  }

  async function makeFolders(path: string): Promise<string> {
    let reference = vendor.rootReference;
    let made = "/";
    for (const name of namesOf(path)) {
      const there = await step(reference, made, name);
      if (there !== undefined && !there.directory) {
        throw new Conflict(`a file is in the way: ${joinPath(made, name)} is not a folder`);
      }
      const folder =
        there ??
        (await vendor.createFolder(call, { path: joinPath(made, name), name, parent: reference }, {}));
      reference = folder.reference;
      made = joinPath(made, name);
    }
    return reference;
  }

  function pathOfFolder(id: string, depth: number): Promise<string> {
    const known = paths.get(id);
    if (known !== undefined) return known;
    const climbed = climb(id, depth);
    paths.set(id, climbed);
    return climbed;
  }

  async function climb(id: string, depth: number): Promise<string> {
    if (depth > MAX_DEPTH) throw new InvalidRequest("this folder lies too deep");
    let folder: DocumentsItem;
    try {
      folder = await vendor.get(call, id);
    } catch (error) {
      // A parent that the user may not see: what was shared with him hangs in his root.
      if (error instanceof LinkspanError && (error.status === 404 || error.status === 403)) return "/";
      throw error;
    }
    return (await pathed(folder, depth)).path as string;
  }

  async function pathed(item: DocumentsItem, depth = 0): Promise<DocumentsItem> {
    if (item.path !== undefined) return item;
    if (item.parentId === undefined) {
      const isRoot = item.directory && (await getRoot()).id === item.id;
      return { ...item, path: isRoot ? "/" : joinPath("/", shown(item.name)) };
    }
    return { ...item, path: joinPath(await pathOfFolder(item.parentId, depth + 1), shown(item.name)) };
  }

  async function targetBelow(folder: string, path: string): Promise<Target> {
    const name = nameOf(path);
    const existing = await vendor.child(call, folder, name);
    return {
      path,
      name,
      parent: folder,
      ...(existing === undefined ? {} : { existing: { ...existing, path } }),
    };
  }

  return {
    async locate(named) {
      if ("id" in named) return { reference: vendor.openId(named.id) };
      if (named.path === "/") return { reference: vendor.rootReference };
      const item = await walk(named.path);
      return { reference: item.reference, item };
    },
    async item(named, options = {}) {
      const item = "path" in named ? await walk(named.path) : await vendor.get(call, vendor.openId(named.id));
      return options.withoutPath ? item : pathed(item);
    },
    withPath: (item) => pathed(item),
    async target(path) {
      return targetBelow(await makeFolders(parentOf(path)), path);
    },
    async targetIn(folder, name) {
      const { path = "/" } = await pathed(folder);
      return targetBelow(folder.reference, joinPath(path, name));
    },
  };
}

/** A slash in a name would read as two names; `child` knows the way back. */
function shown(name: string): string {
  return name.replaceAll("/", "／");
}

function missing(path: string): NotFound {
  return new NotFound(`there is nothing at ${path}`);
}
