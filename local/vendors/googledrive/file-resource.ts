import type { drive_v3 } from "@googleapis/drive";
import { digestOf } from "../content.ts";
import type { Revision } from "../file-tree.ts";
import { extensionOf } from "../media-type.ts";
import { type DriveAccount, type DriveNode, isGoogleType } from "./drive-account.ts";

/** The fields of a file that a mask may name. */
const NAMES: readonly (keyof drive_v3.Schema$File)[] = [
  "appProperties",
  "capabilities",
  "contentHints",
  "contentRestrictions",
  "copyRequiresWriterPermission",
  "createdTime",
  "description",
  "driveId",
  "explicitlyTrashed",
  "exportLinks",
  "fileExtension",
  "folderColorRgb",
  "fullFileExtension",
  "hasAugmentedPermissions",
  "hasThumbnail",
  "headRevisionId",
  "iconLink",
  "id",
  "imageMediaMetadata",
  "isAppAuthorized",
  "kind",
  "labelInfo",
  "lastModifyingUser",
  "linkShareMetadata",
  "md5Checksum",
  "mimeType",
  "modifiedByMe",
  "modifiedByMeTime",
  "modifiedTime",
  "name",
  "originalFilename",
  "ownedByMe",
  "owners",
  "parents",
  "permissionIds",
  "permissions",
  "properties",
  "quotaBytesUsed",
  "resourceKey",
  "sha1Checksum",
  "sha256Checksum",
  "shared",
  "sharedWithMeTime",
  "sharingUser",
  "shortcutDetails",
  "size",
  "spaces",
  "starred",
  "teamDriveId",
  "thumbnailLink",
  "thumbnailVersion",
  "trashed",
  "trashedTime",
  "trashingUser",
  "version",
  "videoMediaMetadata",
  "viewedByMe",
  "viewedByMeTime",
  "viewersCanCopyContent",
  "webContentLink",
  "webViewLink",
  "writersCanShare",
];
export const FILE_FIELDS: ReadonlySet<string> = new Set<string>(NAMES);

/** The fields of an answer without a `fields` parameter. */
export const DEFAULT_FILE_FIELDS = "kind,id,name,mimeType";

export function time(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

export function userResource(account: DriveAccount): drive_v3.Schema$User {
  return {
    kind: "drive#user",
    displayName: account.name,
    me: true,
    permissionId: account.permissionId,
    emailAddress: account.email,
  };
}

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/files#File */
export function fileResource(
  account: DriveAccount,
  node: DriveNode,
  publicOrigin: string,
): drive_v3.Schema$File {
  const { detail } = node;
  const newest = node.revisions.at(-1);
  const user = userResource(account);
  const permissions = [...detail.permissions.values()];
  const isTrashed = account.isTrashed(node);
  const resource: drive_v3.Schema$File = {
    kind: "drive#file",
    id: node.id,
    name: node.name,
    mimeType: detail.mimeType,
    ...(detail.description === undefined ? {} : { description: detail.description }),
    starred: detail.starred,
    trashed: isTrashed,
    explicitlyTrashed: detail.explicitlyTrashed,
    ...(detail.trashedAt === undefined ? {} : { trashedTime: time(detail.trashedAt), trashingUser: user }),
    ...(node.parentId === undefined ? {} : { parents: [node.parentId] }),
    ...shortcutFields(account, node),
    ...(Object.keys(detail.properties).length > 0 ? { properties: detail.properties } : {}),
    ...(Object.keys(detail.appProperties).length > 0 ? { appProperties: detail.appProperties } : {}),
    spaces: ["drive"],
    version: String(detail.version),
    createdTime: time(node.createdAt),
    modifiedTime: time(node.modifiedAt),
    modifiedByMe: true,
    modifiedByMeTime: time(node.modifiedAt),
    viewedByMe: true,
    lastModifyingUser: user,
    ...ownership(account, node, permissions.length > 1),
    permissions,
    permissionIds: permissions.flatMap((permission) => permission.id ?? []),
    capabilities: capabilities(account, node, isTrashed),
    writersCanShare: true,
    copyRequiresWriterPermission: detail.restriction === "copy",
    viewersCanCopyContent: detail.restriction !== "copy",
    quotaBytesUsed: String(newest?.content.size ?? 0),
    isAppAuthorized: true,
    hasThumbnail: false,
    webViewLink: publicOrigin + viewPath(node),
    ...(detail.folderColorRgb === undefined ? {} : { folderColorRgb: detail.folderColorRgb }),
    ...(newest === undefined || isGoogleType(detail.mimeType) ? {} : bytesFields(node, newest, publicOrigin)),
    ...(isGoogleType(detail.mimeType) && newest !== undefined
      ? { exportLinks: exportLinks(node, publicOrigin), size: String(newest.content.size) }
      : {}),
  };
  if (newest !== undefined && !isGoogleType(detail.mimeType)) addChecksums(resource, newest);
  return resource;
}

function shortcutFields(account: DriveAccount, node: DriveNode): drive_v3.Schema$File {
  const { shortcutTo } = node.detail;
  if (shortcutTo === undefined) return {};
  const target = account.targetOf(node);
  return {
    shortcutDetails: {
      targetId: shortcutTo,
      targetMimeType: target?.detail.mimeType ?? "application/octet-stream",
    },
  };
}

/** Files of a shared drive have no owner; what others share has another one. */
function ownership(account: DriveAccount, node: DriveNode, isShared: boolean): drive_v3.Schema$File {
  const top = account.placeOf(node);
  const { place } = top?.detail ?? {};
  if (top === undefined || place === undefined)
    return { owners: [userResource(account)], ownedByMe: true, shared: isShared };
  if (place.kind === "sharedDrive")
    return { driveId: top.id, teamDriveId: top.id, ownedByMe: false, shared: true };
  return {
    owners: [{ kind: "drive#user", displayName: place.by, emailAddress: place.by, me: false }],
    ownedByMe: false,
    shared: true,
    ...(node === top ? { sharedWithMeTime: time(place.at) } : {}),
  };
}

const CHECKSUMS = { md5Checksum: "md5", sha1Checksum: "sha1", sha256Checksum: "sha256" } as const;

/** Checksums are computed only when an answer contains them, because a file may be large. */
function addChecksums(resource: drive_v3.Schema$File, { content }: Revision): void {
  for (const [name, algorithm] of Object.entries(CHECKSUMS)) {
    Object.defineProperty(resource, name, { enumerable: true, get: () => digestOf(content, algorithm) });
  }
}

function bytesFields(node: DriveNode, newest: Revision, publicOrigin: string): drive_v3.Schema$File {
  return {
    size: String(newest.content.size),
    headRevisionId: newest.id,
    originalFilename: node.detail.originalFilename ?? node.name,
    fullFileExtension: extensionOf(node.name),
    fileExtension: extensionOf(node.name),
    webContentLink: `${publicOrigin}/uc?id=${node.id}&export=download`,
  };
}

/** Formats in which this stand-in exports a document of Google's editors. */
export const EXPORT_TYPES = ["text/plain", "text/html", "application/pdf"];

function exportLinks(node: DriveNode, publicOrigin: string): Record<string, string> {
  return Object.fromEntries(
    EXPORT_TYPES.map((type) => [
      type,
      `${publicOrigin}/uc?id=${node.id}&export=download&mimeType=${encodeURIComponent(type)}`,
    ]),
  );
}

function viewPath(node: DriveNode): string {
  if (node.detail.shortcutTo !== undefined) return `/file/d/${node.id}/view?usp=drivesdk`;
  if (node.directory) return `/drive/folders/${node.id}`;
  if (isGoogleType(node.detail.mimeType)) return `/document/d/${node.id}/edit?usp=drivesdk`;
  return `/file/d/${node.id}/view?usp=drivesdk`;
}

function capabilities(
  account: DriveAccount,
  node: DriveNode,
  isTrashed: boolean,
): NonNullable<drive_v3.Schema$File["capabilities"]> {
  const isRoot = node === account.tree.root || node.detail.place?.kind === "sharedDrive";
  return {
    canAddChildren: node.directory && !isTrashed,
    canListChildren: node.directory,
    canRemoveChildren: node.directory,
    canDeleteChildren: false,
    canCopy: !node.directory && node.detail.restriction !== "copy",
    canDelete: !isRoot,
    canDownload: !node.directory,
    canEdit: true,
    canModifyContent: !node.directory,
    canReadRevisions: !node.directory,
    canRename: !isRoot,
    canShare: !isRoot,
    canTrash: !isRoot,
    canUntrash: !isRoot,
    canMoveItemWithinDrive: !isRoot,
    canComment: true,
  };
}
