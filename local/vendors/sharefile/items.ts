import { createHash } from "node:crypto";
import { digestOf } from "../content.ts";
import type { Revision } from "../file-tree.ts";
import type { KitAccount, KitNode } from "../kit/account.ts";
import { notFound, refused } from "./errors.ts";

// The models of https://github.com/citrix/ShareFile-NET/tree/master/src/ShareFile.Api.Client/Models (2026-11-27).

/** A share as it was asked for. */
export interface Share {
  readonly id: string;
  readonly createdAt: number;
  /** Ids of nodes. */
  readonly items: readonly string[];
  /** The other members of the request: title, expiration, … */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** ShareFile's data of an item, in addition to name and bytes. The home folder keeps the user's shares. */
export interface Own {
  description: string;
  shares: Share[];
}

export type Account = KitAccount<Own>;
export type Node = KitNode<Own>;

/** A file in one of its versions, or a folder. */
export interface Found {
  readonly node: Node;
  readonly version?: Revision;
}

export const SUBDOMAIN = "acme";
export const API_HOST = `${SUBDOMAIN}.sf-api.com`;
const API = `https://${API_HOST}/sf/v3`;

/** The item that contains the top-level folders: "the Account is the container of top-level folders". */
export const ACCOUNT_ID = `a${guid("account").slice(1)}`;

/** 36 characters in the form of a GUID, with a prefix for the kind: https://api.sharefile.com/gettingstarted/faq */
export function newId(kind: "root" | "folder" | "file" | "version", number: number): string {
  const prefix = { root: "fo", folder: "fo", file: "st", version: "fi" }[kind];
  return `${prefix}${guid(`${kind} ${number}`).slice(2)}`;
}

export function guid(seed: string): string {
  const hex = createHash("sha256").update(seed).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

/** The item with an id, or a special one. Each version of a file has an id. @throws {Refused} 404 */
export function find(account: Account, id: string): Found {
  if (id === "home") return { node: account.root };
  const folder = id.startsWith("fo") ? account.tree.get(id) : undefined;
  if (folder !== undefined) return { node: folder };
  for (const node of id.startsWith("fi") ? account.tree.all() : []) {
    const version = node.revisions.find((each) => each.id === id);
    if (version !== undefined) return { node, version };
  }
  throw notFound();
}

export function newest(node: Node): Found {
  const version = node.revisions.at(-1);
  return version === undefined ? { node } : { node, version };
}

/** The folders that others share: at the top, beside the home folder. */
export function sharedFolders(account: Account): Node[] {
  return [...account.tree.all()].filter(
    (node) => node.parentId === undefined && node !== account.root && node.directory,
  );
}

const ITEM = [
  "Id Name FileName Description CreationDate ProgenyEditDate ClientCreatedDate ClientModifiedDate ExpirationDate",
  "IsHidden FileSizeInKB FileSizeBytes Path StreamID CreatorFirstName CreatorLastName HasPendingDeletion Hash FileCount",
  "Version odata.type odata.metadata odata.count url",
].flatMap((line) => line.split(" "));

/** $select and $expand of a request. */
export interface Shape {
  readonly $select?: string | undefined;
  readonly $expand?: "Parent" | undefined;
}

export function itemAnswer(account: Account, found: Found, { $select, $expand }: Shape = {}): object {
  const wrong = $select?.split(",").find((name) => {
    const [outer, inner] = name.split("/");
    return !ITEM.includes(inner ?? name) || (inner !== undefined && outer !== $expand);
  });
  if (wrong !== undefined) throw refused(400, `Could not find a property named '${wrong}' on type 'Item'.`);
  const item = selected(
    plainItem(account, found),
    $select?.split(",").filter((name) => !name.includes("/")),
  );
  if ($expand === undefined) return item;
  const parent = account.tree.parent(found.node);
  const inner = $select?.split(",").flatMap((name) => name.split("/")[1] ?? []);
  const above = parent === undefined ? { Id: ACCOUNT_ID } : plainItem(account, newest(parent));
  return { ...item, Parent: selected(above, inner) };
}

function selected(
  item: Record<string, unknown>,
  names: readonly string[] | undefined,
): Record<string, unknown> {
  const kept = ["odata.metadata", ...(names ?? Object.keys(item))].map((name) => [name, item[name]]);
  return Object.fromEntries(kept);
}

function plainItem(account: Account, { node, version }: Found): Record<string, unknown> {
  const type = node.directory ? "Folder" : "File";
  const id = version?.id ?? node.id;
  const bytes = node.directory ? folderBytes(account, node) : (version?.content.size ?? 0);
  return {
    "odata.metadata": `${API}/$metadata#Items/ShareFile.Api.Models.${type}@Element`,
    "odata.type": `ShareFile.Api.Models.${type}`,
    url: `${API}/Items(${id})`,
    Id: id,
    Name: node.name,
    FileName: node.name,
    Description: node.detail.own.description,
    CreationDate: iso(version?.storedAt ?? node.createdAt),
    ProgenyEditDate: iso(node.modifiedAt),
    ClientModifiedDate: version === undefined ? null : iso(version.clientModifiedAt),
    FileSizeBytes: bytes,
    StreamID: node.id,
    ...(version === undefined ? {} : { Hash: digestOf(version.content, "md5") }),
  };
}

/** "For containers, this field will include all children sizes, recursively." */
function folderBytes(account: Account, folder: Node): number {
  return [...account.tree.below(folder.id)].reduce(
    (sum, node) => sum + (node.revisions.at(-1)?.content.size ?? 0),
    0,
  );
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

export function feedAnswer(of: string, value: readonly object[]): object {
  return { "odata.metadata": `${API}/$metadata#${of}`, "odata.count": value.length, value };
}

/** The special item `allshared`. */
export const allShared = {
  "odata.type": "ShareFile.Api.Models.Folder",
  Id: "allshared",
  Name: "Shared Folders",
};

/** ShareFile.Api.Models.SearchResult */
export function searchResult(account: Account, node: Node): object {
  const item = plainItem(account, newest(node));
  return {
    Score: 1,
    ItemID: item.Id,
    ParentID: node.parentId ?? ACCOUNT_ID,
    ItemType: node.directory ? "Folder" : "File",
    FileName: node.name,
    DisplayName: node.name,
    Size: item.FileSizeBytes,
    CreationDate: item.CreationDate,
    Details: item.Description,
    MD5: item.Hash ?? null,
    StreamID: node.id,
  };
}
