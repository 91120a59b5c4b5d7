import { createHash } from "node:crypto";
import type {
  Drive,
  DriveItem,
  DriveItemVersion,
  IdentitySet,
  Permission,
} from "@microsoft/microsoft-graph-types";
import * as v from "valibot";
import { digestOf } from "../content.ts";
import type { Revision } from "../file-tree.ts";
import { type KitAccount, type KitNode, sizeOf, type TreeRules } from "../kit/account.ts";

const PERMISSION = v.strictObject({ id: v.string(), key: v.string(), type: v.string(), scope: v.string() });

/** Graph's data of an item in addition to name and bytes. */
export const GRAPH_ITEM = v.strictObject({ description: v.string(), links: v.array(PERMISSION) });
export type GraphItem = v.InferOutput<typeof GRAPH_ITEM>;
export type GraphLink = v.InferOutput<typeof PERMISSION>;
export type GraphNode = KitNode<GraphItem>;
export type GraphAccount = KitAccount<GraphItem>;

/** 5 GB, the space of a free account. */
const QUOTA_BYTES = 5 * 1024 ** 3;

export const graphTree: TreeRules<GraphItem> = {
  names: { ignoresCase: true, ignoresComposition: false, allowsDuplicates: false, refuse: nameRule },
  quotaBytes: QUOTA_BYTES,
  rootName: "root",
  // Ids of OneDrive have a `!`; those of versions are `3.0`.
  newId: (kind, number) =>
    kind === "version" ? `${number}.0` : `B4C1A7E09D3F5826!s${number.toString(16).padStart(32, "0")}`,
  newDetail: () => ({ description: "", links: [] }),
  copiedDetail: ({ description }) => ({ description, links: [] }),
};

/**
 * https://learn.microsoft.com/en-us/graph/onedrive-addressing-driveitems and
 * https://support.microsoft.com/en-us/office/restrictions-and-limitations-in-onedrive-and-sharepoint-64883a5d-228e-48f5-b3d2-eb39e07630fa
 * (2026-11-27)
 */
function nameRule(name: string, isFolder: boolean): string | undefined {
  const reserved = /^(?:\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini)$/i;
  const isBad =
    name === "" ||
    name.length > 255 ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused.
    /["*:<>?/\\|\x00-\x1f]|_vti_|^[ ~]| $/i.test(name) ||
    reserved.test(name) ||
    (isFolder && name.endsWith("."));
  return isBad ? "The provided name cannot contain this." : undefined;
}

export function driveIdOf(account: GraphAccount): string {
  return createHash("sha256").update(`drive of ${account.login}`).digest("hex").slice(0, 16);
}

export function userOf({ login, name }: GraphAccount) {
  const id = createHash("sha256").update(`user ${login}`).digest("hex").slice(0, 16);
  return { id, displayName: name };
}

export function driveOf(account: GraphAccount): Drive {
  const used = account.tree.usedBytes();
  return {
    id: driveIdOf(account),
    driveType: "personal",
    name: "OneDrive",
    webUrl: `https://onedrive.live.com/?cid=${driveIdOf(account)}`,
    owner: { user: userOf(account) },
    quota: { deleted: 0, remaining: QUOTA_BYTES - used, state: "normal", total: QUOTA_BYTES, used },
  };
}

const timeOf = (at: number): string => new Date(at).toISOString();
const by = (account: GraphAccount): IdentitySet => ({ user: userOf(account) });

export const eTagOf = ({ id, detail }: GraphNode): string =>
  `"{${createHash("sha256").update(id).digest("hex").slice(0, 32).toUpperCase()}},${detail.etag + 1}"`;

/** @param base what paths begin with: `/drive` or `/drives/{id}`; absent in results of a search, which have no path */
export function itemOf(account: GraphAccount, node: GraphNode, base?: string): DriveItem {
  const parent = account.tree.parent(node);
  const newest = node.revisions.at(-1);
  const below = node.directory ? [...account.tree.below(node.id)] : [];
  const at = timeOf(newest?.storedAt ?? node.modifiedAt);
  return {
    id: node.id,
    name: node.name,
    size: below.reduce((sum, each) => sum + sizeOf(each), sizeOf(node)),
    eTag: eTagOf(node),
    cTag: `${eTagOf(node).slice(0, -1)}0"`,
    webUrl: `https://onedrive.live.com/?id=${encodeURIComponent(node.id)}`,
    createdDateTime: timeOf(node.createdAt),
    lastModifiedDateTime: at,
    createdBy: by(account),
    lastModifiedBy: by(account),
    fileSystemInfo: { createdDateTime: timeOf(node.createdAt), lastModifiedDateTime: at },
    parentReference: {
      driveId: driveIdOf(account),
      driveType: "personal",
      ...(parent === undefined ? {} : { id: parent.id, name: parent.name }),
      ...(parent === undefined || base === undefined
        ? {}
        : { path: `${base}/root:${encoded(account, parent)}` }),
    },
    ...(node.detail.own.description === "" ? {} : { description: node.detail.own.description }),
    ...(node === account.root ? { root: {} } : {}),
    ...(node.directory ? { folder: { childCount: account.tree.children(node.id).length } } : {}),
    ...(newest === undefined ? {} : { file: fileOf(newest) }),
  };
}

function fileOf({ mediaType, content }: Revision): NonNullable<DriveItem["file"]> {
  const hashes = {
    sha1Hash: digestOf(content, "sha1").toUpperCase(),
    sha256Hash: digestOf(content, "sha256").toUpperCase(),
  };
  return { mimeType: mediaType, hashes };
}

function encoded(account: GraphAccount, node: GraphNode): string {
  return account.tree.pathOf(node).split("/").map(encodeURIComponent).join("/");
}

export function versionOf(account: GraphAccount, revision: Revision): DriveItemVersion {
  return {
    id: revision.id,
    lastModifiedDateTime: timeOf(revision.storedAt),
    lastModifiedBy: by(account),
    size: revision.content.size,
  };
}

export function permissionOf(link: GraphLink, origin: string): Permission {
  return {
    id: link.id,
    roles: [link.type === "edit" ? "write" : "read"],
    shareId: `u!${link.key}`,
    hasPassword: false,
    link: { type: link.type, scope: link.scope, webUrl: `${origin}/u/${link.key}` },
  };
}

/** https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html, 4.6.1 */
export const contextOf = (what: string) => ({
  "@odata.context": `https://graph.microsoft.com/v1.0/$metadata#${what}`,
});

/** The properties that `$select` names. */
export function selected(item: object, select: string | undefined): Record<string, unknown> {
  const names = select?.split(",").map((name) => name.trim());
  return Object.fromEntries(Object.entries(item).filter(([name]) => names?.includes(name) ?? true));
}

/** Names of an item's properties, which `$select` may have; others are refused. */
export const PROPERTIES: ReadonlySet<string> = new Set([
  "@microsoft.graph.downloadUrl",
  "audio",
  "bundle",
  "cTag",
  "createdBy",
  "createdDateTime",
  "deleted",
  "description",
  "eTag",
  "file",
  "fileSystemInfo",
  "folder",
  "id",
  "image",
  "lastModifiedBy",
  "lastModifiedDateTime",
  "location",
  "malware",
  "name",
  "package",
  "parentReference",
  "pendingOperations",
  "photo",
  "publication",
  "remoteItem",
  "root",
  "searchResult",
  "shared",
  "sharepointIds",
  "size",
  "specialFolder",
  "video",
  "webDavUrl",
  "webUrl",
]);
