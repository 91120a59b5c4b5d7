import { createHash } from "node:crypto";
import * as v from "valibot";
import { digestOf } from "../content.ts";
import type { Revision } from "../file-tree.ts";
import type { KitAccount, KitNode, TreeRules } from "../kit/account.ts";
import { selectFields } from "../kit/select-fields.ts";
import { extensionOf } from "../media-type.ts";
import type { StandInAccount } from "../stand-in.ts";

/** Box's data of an item in addition to name and bytes. */
export const BOX_ITEM = v.strictObject({
  description: v.string(),
  tags: v.array(v.string()),
  /** `key` is the end of the link's URL. */
  sharedLink: v.optional(v.strictObject({ key: v.string(), access: v.string(), canDownload: v.boolean() })),
  /** Of a web link, which is an item without bytes. */
  url: v.optional(v.string()),
});
export type BoxItem = v.InferOutput<typeof BOX_ITEM>;
export type BoxNode = KitNode<BoxItem>;
export type BoxAccount = KitAccount<BoxItem>;

/** 10 GB, the space of a free account. */
export const QUOTA_BYTES = 10 * 1024 ** 3;

export const boxTree: TreeRules<BoxItem> = {
  names: { ignoresCase: true, ignoresComposition: false, allowsDuplicates: false, refuse: nameRule },
  quotaBytes: QUOTA_BYTES,
  rootName: "All Files",
  // Every account's root folder is 0: https://developer.box.com/reference/get-folders-id (2026-11-27).
  newId: (kind, number) => (kind === "root" ? "0" : String(1_600_000_000_000 + number * 7)),
  newDetail: () => ({ description: "", tags: [] }),
  copiedDetail: ({ description, url }) => ({ description, tags: [], url }),
};

/**
 * The code of the error: https://developer.box.com/guides/files/limitations (2026-11-27). The page of errors lists
 * more characters and leading blanks; rclone's Box backend stores these as they are, so they are accepted here.
 */
function nameRule(name: string): string | undefined {
  if (name.length > 255) return "item_name_too_long";
  const isBad = name === "" || name === "." || name === ".." || name.endsWith(" ");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what Box refuses.
  return isBad || /[/\\\x00-\x1f\x7f]/.test(name) ? "item_name_invalid" : undefined;
}

export const typeOf = ({ directory, detail }: BoxNode) =>
  directory ? "folder" : detail.own.url === undefined ? "file" : "web_link";

/** Box answers times of its own time zone, in whole seconds. */
export function timeOf(at: number): string {
  return `${new Date(at - 8 * 3_600_000).toISOString().slice(0, 19)}-08:00`;
}

export function userOf({ login, name }: StandInAccount): Record<string, unknown> {
  const digest = createHash("sha256").update(`box user ${login}`).digest();
  return { type: "user", id: String(digest.readUInt32BE() + 10_000_000_000), name, login };
}

function versionBase({ id, content }: Revision) {
  return { type: "file_version", id, sha1: digestOf(content, "sha1") };
}

/** The mini representation. */
export function mini(node: BoxNode): Record<string, unknown> & { readonly type: string } {
  const type = typeOf(node);
  const etag = node.parentId === undefined && node.directory ? null : String(node.detail.etag);
  const newest = node.revisions.at(-1);
  const version = type === "file" && newest !== undefined ? versionBase(newest) : undefined;
  return {
    type,
    id: node.id,
    sequence_id: etag,
    etag,
    name: node.name,
    ...(version === undefined ? {} : { sha1: version.sha1, file_version: version }),
    ...(type === "web_link" ? { url: node.detail.own.url } : {}),
  };
}

/** The standard representation and, of the full one, what a request may ask for with `fields`. */
function everything(account: BoxAccount, node: BoxNode, origin: string): Record<string, unknown> {
  const { own } = node.detail;
  const user = userOf(account);
  const folders = account.foldersAbove(node);
  const parent = folders.at(-1);
  // The root folder has no times.
  const time = (at: number) => (node === account.root ? null : timeOf(at));
  return {
    ...mini(node),
    description: own.description,
    size: account.sizeOf(node),
    path_collection: { total_count: folders.length, entries: folders.map(mini) },
    created_at: time(node.createdAt),
    modified_at: time(node.modifiedAt),
    trashed_at: null,
    purged_at: null,
    content_created_at: time(node.createdAt),
    content_modified_at: time(node.revisions.at(-1)?.clientModifiedAt ?? node.modifiedAt),
    created_by: user,
    modified_by: user,
    owned_by: user,
    shared_link: sharedLink(node, origin),
    parent: parent === undefined ? null : mini(parent),
    item_status: "active",
    tags: own.tags,
    has_collaborations: false,
    ...(node.directory
      ? { folder_upload_email: null, sync_state: "not_synced" }
      : { extension: extensionOf(node.name), version_number: String(node.revisions.length), lock: null }),
  };
}

const ONLY_FULL = "tags has_collaborations sync_state extension version_number lock".split(" ");
const NOT_OF_WEB_LINKS = ["size", "content_created_at", "content_modified_at", ...ONLY_FULL];

/**
 * An item as the API answers it: the standard representation, or the `fields` of the request. Unknown fields
 * are ignored: https://developer.box.com/guides/api-calls/request-extra-fields (2026-11-27).
 */
export function itemOf(
  account: BoxAccount,
  node: BoxNode,
  { origin, fields }: { readonly origin: string; readonly fields: string | undefined },
): Record<string, unknown> {
  const left = typeOf(node) === "web_link" ? NOT_OF_WEB_LINKS : ONLY_FULL;
  return selectFields(everything(account, node, origin), fields, ["type", "id", "etag"], left);
}

function sharedLink(node: BoxNode, origin: string): unknown {
  const link = node.detail.own.sharedLink;
  if (link === undefined) return null;
  const canDownload = link.canDownload && !node.directory;
  return {
    url: `${origin}/s/${link.key}`,
    download_url: canDownload ? `${origin}/shared/static/${link.key}.${extensionOf(node.name)}` : null,
    vanity_url: null,
    vanity_name: null,
    effective_access: link.access,
    effective_permission: link.canDownload ? "can_download" : "can_preview",
    is_password_enabled: false,
    unshared_at: null,
    download_count: 0,
    preview_count: 0,
    access: link.access,
    permissions: { can_preview: true, can_download: link.canDownload, can_edit: false },
  };
}

/** https://developer.box.com/reference/resources/file-version--full */
export function versionOf(account: BoxAccount, node: BoxNode, revision: Revision): Record<string, unknown> {
  return {
    ...versionBase(revision),
    name: node.name,
    size: revision.content.size,
    created_at: timeOf(revision.storedAt),
    modified_at: timeOf(revision.clientModifiedAt),
    modified_by: userOf(account),
    trashed_at: null,
    purged_at: null,
    uploader_display_name: account.name,
    version_number: String(node.revisions.indexOf(revision) + 1),
  };
}
