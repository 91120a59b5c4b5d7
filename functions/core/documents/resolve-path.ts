import { Conflict, InvalidRequest, LinkspanError, NotFound } from "../errors.ts";
import { present } from "../present.ts";
import type { DocumentsItem } from "./item.ts";
import { checkNewName, nameInPath } from "./names.ts";
import { joinPath, nameOf, namesOf, parentOf } from "./path.ts";
import type { DocumentsVendor, IdVendor, ItemKind, Located, PathVendor, Target } from "./vendor.ts";
import type { VendorCall } from "./vendor-call.ts";

/** A caller's name for a file or folder: a path, or an id as written in the URL. */
export type Named =
  | { readonly path: string }
  | { readonly id: string /** What the call is about, if its route says so. */; readonly kind?: ItemKind };

/** Most levels of folders; a deeper hierarchy must be a circle. */
const MAX_DEPTH = 200;

/**
 * Finds the items for paths and ids. Lives for one call: what it remembers (folder id -> path) is never kept
 * for the next call, because a path that was deleted and created again is another item.
 */
export interface PathResolver {
  /** Finds the reference for the vendor's calls. Calls the vendor only if it is addressed by id. @throws {NotFound} */
  locate(named: Named): Promise<Located>;
  /** The item itself, with its path unless `withoutPath`. @throws {NotFound} */
  item(named: Named, options?: { withoutPath?: boolean }): Promise<DocumentsItem>;
  /** Adds the path if the vendor did not return it. */
  withPath(item: DocumentsItem): Promise<DocumentsItem>;
  /** The place for a new, moved or copied item; creates missing parent folders. @throws {Conflict} a file is in the way */
  target(path: string): Promise<Target>;
  /** The place for a new, moved or copied item in a known folder. */
  targetIn(folder: DocumentsItem, name: string): Promise<Target>;
}

export function pathResolver(vendor: DocumentsVendor, call: VendorCall): PathResolver {
  return vendor.addressing === "path" ? resolveByPath(vendor, call) : new ResolverById(vendor, call);
}

function resolveByPath(vendor: PathVendor, call: VendorCall): PathResolver {
  const reference = (named: Named): string =>
    "path" in named ? named.path : vendor.openId(named.id, named.kind);
  const target = async (path: string): Promise<Target> => {
    checkNewName(vendor, nameOf(path), "path");
    if (vendor.makesParents !== true) await makeFolders(parentOf(path));
    const place = { path, name: nameOf(path), parent: parentOf(path) };
    if (vendor.findsConflicts) return place;
    return { ...place, ...present({ existing: await found(vendor.get(call, path)) }) };
  };
  /** Looks from the deepest folder up, because most folders exist. */
  const makeFolders = async (path: string): Promise<void> => {
    if (path === "/") return;
    const there = await found(vendor.get(call, path));
    if (there !== undefined) return refuseFile(there, path);
    await makeFolders(parentOf(path));
    const name = checkNewName(vendor, nameOf(path), "path");
    await vendor.createFolder(call, { path, name, parent: parentOf(path) }, {});
  };
  return {
    locate: async (named) => ({ reference: reference(named) }),
    item: async (named) => vendor.get(call, reference(named)),
    withPath: async (item) => item,
    target,
    // A folder outside of the user's folders has no path; a reference takes its place (`id:…/name`).
    targetIn: async (folder, name) => target(joinPath(folder.path ?? folder.reference, name)),
  };
}

/** @returns undefined: there is no such item */
async function found(read: Promise<DocumentsItem>): Promise<DocumentsItem | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof LinkspanError && error.status === 404) return undefined;
    throw error;
  }
}

/** @throws {Conflict} a file is where a folder should be */
function refuseFile(item: DocumentsItem, path: string): void {
  if (!item.directory) throw new Conflict(`a file is in the way: ${path} is not a folder`);
}

/** The folder for a new item. */
interface ParentFolder {
  readonly reference: string;
  /** This call has made it. */
  readonly isNew?: true;
}

/**
 * For vendors whose references are ids: finds an item from the root down, and a path from the item up, with one
 * call for each step that is not known yet.
 */
class ResolverById implements PathResolver {
  readonly #vendor: IdVendor;
  readonly #call: VendorCall;
  /** Paths by folder id. */
  readonly #paths = new Map<string, Promise<string | undefined>>();
  /** Folders on the way of a walk, by path: a move or a copy goes that way twice. */
  readonly #folders = new Map<string, DocumentsItem>();
  #root: Promise<DocumentsItem> | undefined;

  constructor(vendor: IdVendor, call: VendorCall) {
    this.#vendor = vendor;
    this.#call = call;
  }

  async locate(named: Named): Promise<Located> {
    if ("id" in named) return { reference: this.#vendor.openId(named.id, named.kind) };
    if (named.path === "/") return { reference: this.#vendor.rootReference };
    const item = await this.#walk(named.path);
    return { reference: item.reference, item };
  }

  async item(named: Named, options: { withoutPath?: boolean } = {}): Promise<DocumentsItem> {
    const item =
      "path" in named
        ? await this.#walk(named.path)
        : await this.#vendor.get(this.#call, this.#vendor.openId(named.id, named.kind));
    return options.withoutPath ? item : await this.withPath(item);
  }

  withPath(item: DocumentsItem): Promise<DocumentsItem> {
    return this.#pathed(item, 0);
  }

  async target(path: string): Promise<Target> {
    // Before folders are made for an item that the vendor does not take.
    checkNewName(this.#vendor, nameOf(path), "path");
    return await this.#targetBelow(await this.#makeFolders(parentOf(path)), path);
  }

  async targetIn(folder: DocumentsItem, name: string): Promise<Target> {
    const { path } = await this.withPath(folder);
    // A folder outside of all paths: the new item's path is not known either.
    return await this.#targetBelow(folder, path === undefined ? name : joinPath(path, name));
  }

  #getRoot(): Promise<DocumentsItem> {
    this.#root ??= this.#vendor.root(this.#call);
    return this.#root;
  }

  /** The reference of a place beside the root folder that a path begins with. */
  #placeOf(name: string): string | undefined {
    const { places = {} } = this.#vendor;
    return Object.hasOwn(places, name) ? places[name] : undefined;
  }

  /** Goes one step down. @returns undefined: the folder has no item of that name */
  async #step(
    folder: string,
    path: string,
    name: string,
    prefer?: "folder",
  ): Promise<DocumentsItem | undefined> {
    const known = prefer === undefined ? undefined : this.#folders.get(joinPath(path, name));
    if (known !== undefined) return known;
    const place = path === "/" ? this.#placeOf(name) : undefined;
    const child =
      place === undefined
        ? await this.#vendor.child(this.#call, folder, name, prefer)
        : await this.#vendor.get(this.#call, place);
    if (child === undefined) return undefined;
    this.#remember(child, path);
    const item = { ...child, path: joinPath(path, name) };
    if (prefer !== undefined && item.directory) this.#folders.set(item.path, item);
    return item;
  }

  #remember(child: DocumentsItem, folderPath: string): void {
    const parent = child.parentReference ?? child.parentId;
    if (parent !== undefined) this.#paths.set(parent, Promise.resolve(folderPath));
  }

  async #walk(path: string): Promise<DocumentsItem> {
    if (path === "/") return await this.#getRoot();
    const [first = ""] = namesOf(path);
    if (this.#vendor.byPath !== undefined && this.#placeOf(first) === undefined) {
      const item = await this.#vendor.byPath(this.#call, path);
      if (item.directory) this.#paths.set(item.reference, Promise.resolve(path));
      return { ...item, path };
    }
    let at: { reference: string; path: string; item?: DocumentsItem } = {
      reference: this.#vendor.rootReference,
      path: "/",
    };
    const names = namesOf(path);
    for (const [index, name] of names.entries()) {
      if (at.item !== undefined && !at.item.directory) throw missing(path);
      const prefer = index < names.length - 1 ? "folder" : undefined;
      const item = await this.#step(at.reference, at.path, name, prefer);
      if (item === undefined) throw missing(path);
      at = { reference: item.reference, path: joinPath(at.path, name), item };
    }
    return at.item as DocumentsItem;
  }

  async #makeFolders(path: string): Promise<ParentFolder> {
    if (this.#vendor.byPath !== undefined && path !== "/") {
      // One call finds the folder, unless it is missing: then the walk finds how far the path exists.
      const there = await found(this.#walk(path));
      if (there !== undefined) {
        refuseFile(there, path);
        return there;
      }
    }
    let folder: ParentFolder = { reference: this.#vendor.rootReference };
    let made = "/";
    for (const name of namesOf(path)) {
      const parent: ParentFolder = folder;
      // A new folder is empty.
      const there = parent.isNew ? undefined : await this.#step(parent.reference, made, name, "folder");
      made = joinPath(made, name);
      if (there !== undefined) refuseFile(there, made);
      else checkNewName(this.#vendor, name, "path");
      const target = { path: made, name, parent: parent.reference };
      folder = there ?? { ...(await this.#vendor.createFolder(this.#call, target, {})), isNew: true };
    }
    return folder;
  }

  #pathOfFolder(id: string, depth: number): Promise<string | undefined> {
    const known = this.#paths.get(id);
    if (known !== undefined) return known;
    const climbed = this.#climb(id, depth);
    this.#paths.set(id, climbed);
    return climbed;
  }

  async #climb(id: string, depth: number): Promise<string | undefined> {
    if (depth > MAX_DEPTH) throw new InvalidRequest("this folder is nested too deep");
    const [place] = Object.entries(this.#vendor.places ?? {}).find(([, reference]) => reference === id) ?? [];
    if (place !== undefined) return joinPath("/", place);
    try {
      const folder = await this.#vendor.get(this.#call, id);
      return (await this.#pathed(folder, depth)).path;
    } catch (error) {
      // The user may not see this parent, so nobody can say where the item is.
      if (error instanceof LinkspanError && (error.status === 404 || error.status === 403)) return undefined;
      throw error;
    }
  }

  /** Adds the path, if there is one that leads back to this item. */
  async #pathed(item: DocumentsItem, depth: number): Promise<DocumentsItem> {
    if (item.path !== undefined) return item;
    const parentReference = item.parentReference ?? item.parentId;
    if (parentReference === undefined) {
      const isRoot = item.directory && (await this.#getRoot()).id === item.id;
      return isRoot ? { ...item, path: "/" } : item;
    }
    const parent = await this.#pathOfFolder(parentReference, depth + 1);
    if (parent === undefined) return item;
    const name = await this.#nameInPath(item);
    // A folder of the user's own with the name of a place: the path leads to the place.
    if (parent === "/" && this.#placeOf(name) !== undefined) return item;
    return { ...item, path: joinPath(parent, name) };
  }

  /** In a place, names of several people meet: an item whose name leads to another one has its id beside the name. */
  async #nameInPath(item: DocumentsItem): Promise<string> {
    const name = nameInPath(this.#vendor, item);
    const parent = item.parentReference ?? item.parentId ?? "";
    const isInPlace = Object.values(this.#vendor.places ?? {}).includes(parent);
    if (item.pathName !== undefined || !isInPlace) return name;
    const child = await this.#vendor.child(this.#call, parent, name);
    return child?.id === item.id ? name : nameWithId(name, item.id);
  }

  async #targetBelow({ reference, isNew }: ParentFolder, path: string): Promise<Target> {
    const name = nameOf(path);
    checkNewName(this.#vendor, name, "path");
    const target = { path, name, parent: reference };
    if (this.#vendor.findsConflicts || isNew) return target;
    const existing = await this.#vendor.child(this.#call, reference, name);
    return existing === undefined ? target : { ...target, existing: { ...existing, path } };
  }
}

/** The name in a path of an item whose plain name leads to another one. */
export function nameWithId(name: string, id: string): string {
  return `${name} [${id}]`;
}

/** @returns undefined: the name has no id beside it */
export function idInName(name: string): string | undefined {
  return name.endsWith("]") ? name.slice(name.lastIndexOf(" [") + 2, -1) : undefined;
}

function missing(path: string): NotFound {
  return new NotFound(`there is nothing at ${path}`);
}
