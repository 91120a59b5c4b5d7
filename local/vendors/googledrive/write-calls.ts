import type { Content } from "../content.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { mediaTypeOf } from "../media-type.ts";
import { type Caller, type DriveCall, jsonBody } from "./call.ts";
import { type DriveAccount, type DriveNode, FOLDER, isGoogleType, SHORTCUT } from "./drive-account.ts";
import { DriveError, invalidValue } from "./errors.ts";
import { fileAnswer } from "./file-answer.ts";
import { type FileMetadata, readMetadata } from "./metadata-body.ts";
import { ResumableUploads } from "./resumable-uploads.ts";
import { readUpload } from "./upload-body.ts";

/**
 * Calls that create, change, copy and delete:
 * https://developers.google.com/workspace/drive/api/reference/rest/v3/files
 */
export function writeCalls(): DriveCall[] {
  const resumable = new ResumableUploads(createFile, changeFile);
  return [
    {
      method: "POST",
      path: "/drive/v3/files",
      access: "write",
      run: async (caller) => fileAnswer(caller, createFile(caller, await jsonBody(caller.request))),
    },
    {
      method: "POST",
      path: "/upload/drive/v3/files",
      access: "write",
      run: async (caller) => {
        if (caller.request.query.get("uploadType") === "resumable") return resumable.begin(caller, undefined);
        const { metadata, content, mediaType } = await readUpload(caller.request);
        return fileAnswer(caller, createFile(caller, metadata, content, mediaType));
      },
    },
    {
      method: "PATCH",
      path: "/drive/v3/files/{id}",
      access: "write",
      run: async (caller) => {
        const node = caller.account.file(caller.id);
        return fileAnswer(caller, changeFile(caller, node, await jsonBody(caller.request)));
      },
    },
    {
      method: "PATCH",
      path: "/upload/drive/v3/files/{id}",
      access: "write",
      run: async (caller) => {
        const node = caller.account.file(caller.id);
        if (caller.request.query.get("uploadType") === "resumable") return resumable.begin(caller, node);
        const { metadata, content, mediaType } = await readUpload(caller.request);
        return fileAnswer(caller, changeFile(caller, node, metadata, content, mediaType));
      },
    },
    {
      method: "PUT",
      path: "/upload/drive/v3/files",
      access: "write",
      run: (caller) => resumable.receive(caller),
    },
    {
      method: "PUT",
      path: "/upload/drive/v3/files/{id}",
      access: "write",
      run: (caller) => resumable.receive(caller),
    },
    {
      method: "POST",
      path: "/drive/v3/files/{id}/copy",
      access: "write",
      run: async (caller) => fileAnswer(caller, copyFile(caller, await jsonBody(caller.request))),
    },
    { method: "DELETE", path: "/drive/v3/files/trash", access: "write", run: emptyTrash },
    { method: "DELETE", path: "/drive/v3/files/{id}", access: "write", run: deleteFile },
  ];
}

function createFile(
  { account }: Caller,
  body: Record<string, unknown>,
  content?: Content,
  mediaType?: string,
): DriveNode {
  const metadata = readMetadata(body, false);
  const name = metadata.name || "Untitled";
  const parent = parentOf(account, metadata);
  const mimeType = metadata.mimeType || guess(name, content, mediaType);
  if (mimeType === FOLDER && content !== undefined && content.size > 0) {
    throw new DriveError(400, "badRequest", "A folder cannot have media content.");
  }
  const { targetId } = metadata.shortcutDetails ?? {};
  if ((mimeType === SHORTCUT) !== (targetId !== undefined)) {
    throw new DriveError(400, "badRequest", "A shortcut has a target, and other files have none.");
  }
  // "The target cannot be another shortcut": https://developers.google.com/workspace/drive/api/guides/shortcuts
  if (targetId !== undefined && account.file(targetId).detail.shortcutTo !== undefined) {
    throw new DriveError(403, "shortcutTargetInvalid", "The shortcut target is not valid.");
  }
  const bytes = content ?? (isGoogleType(mimeType) ? undefined : EMPTY);
  const kept = mimeType === FOLDER ? undefined : bytes;
  const node = account.create(name, parent, mimeType, kept, metadata.id || undefined);
  if (targetId !== undefined) node.detail.shortcutTo = targetId;
  apply(account, node, metadata);
  return node;
}

const EMPTY: Content = { size: 0, *read() {} };

function changeFile(
  { account, request }: Caller,
  node: DriveNode,
  body: Record<string, unknown>,
  content?: Content,
  mediaType?: string,
): DriveNode {
  if (node === account.tree.root) throw notAllowed();
  const metadata = readMetadata(body, true);
  if (metadata.trashed === true) refuseForeign(node);
  const target = newParent(
    account,
    node,
    request.query.get("addParents"),
    request.query.get("removeParents"),
  );
  if (content !== undefined) {
    if (node.directory) throw new DriveError(403, "forbidden", "A folder cannot have media content.");
    node.detail.mimeType = metadata.mimeType || guess(node.name, content, mediaType);
    account.write(node, content, node.detail.mimeType);
  } else if (metadata.mimeType && !node.directory) node.detail.mimeType = metadata.mimeType;
  if (target !== undefined) account.move(node, target);
  if (metadata.name || metadata.description !== undefined) node.modifiedAt = account.now();
  if (metadata.name) node.name = metadata.name;
  apply(account, node, metadata);
  return node;
}

function copyFile({ account, id }: Caller, body: Record<string, unknown>): DriveNode {
  const source = account.file(id);
  if (source.directory || source.detail.restriction === "copy")
    throw new DriveError(403, "cannotCopyFile", "This file cannot be copied by the user.");
  const metadata = readMetadata(body, false);
  const parents = metadata.parents ?? (source.parentId === undefined ? [] : [source.parentId]);
  const name = metadata.name || `Copy of ${source.name}`;
  const newest = source.revisions.at(-1);
  const mimeType = metadata.mimeType || source.detail.mimeType;
  const copy = account.create(name, parentOf(account, { ...metadata, parents }), mimeType, newest?.content);
  apply(account, copy, {
    description: source.detail.description,
    properties: source.detail.properties,
    originalFilename: source.detail.originalFilename,
    ...Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
  });
  return copy;
}

/** What somebody else shares is theirs. @throws {DriveError} insufficientFilePermissions */
function refuseForeign({ detail }: DriveNode): void {
  if (detail.place === undefined) return;
  throw new DriveError(
    403,
    "insufficientFilePermissions",
    "The user does not have sufficient permissions for this file.",
  );
}

function deleteFile({ account, id }: Caller): Answer {
  const node = account.file(id);
  refuseForeign(node);
  if (node === account.tree.root) throw notAllowed();
  account.tree.remove(node);
  return { status: 204 };
}

function emptyTrash({ account }: Caller): Answer {
  for (const node of [...account.tree.all()].filter((each) => each.detail.explicitlyTrashed)) {
    if (account.tree.get(node.id) !== undefined) account.tree.remove(node);
  }
  return jsonAnswer(200, {});
}

function apply(account: DriveAccount, node: DriveNode, metadata: FileMetadata): void {
  const { detail } = node;
  if (metadata.description !== undefined) detail.description = metadata.description || undefined;
  if (metadata.originalFilename) detail.originalFilename = metadata.originalFilename;
  if (metadata.folderColorRgb) detail.folderColorRgb = metadata.folderColorRgb;
  if (typeof metadata.starred === "boolean") detail.starred = metadata.starred;
  detail.properties = merged(detail.properties, metadata.properties);
  detail.appProperties = merged(detail.appProperties, metadata.appProperties);
  if (typeof metadata.trashed === "boolean") {
    detail.explicitlyTrashed = metadata.trashed;
    detail.trashedAt = metadata.trashed ? account.now() : undefined;
  }
  if (metadata.modifiedTime) node.modifiedAt = instant(metadata.modifiedTime, "modifiedTime");
  if (metadata.createdTime) Object.assign(node, { createdAt: instant(metadata.createdTime, "createdTime") });
  detail.version += 1;
}

function merged(
  before: Record<string, string>,
  changes: Record<string, string | null> | null | undefined,
): Record<string, string> {
  const all = Object.entries({ ...before, ...changes });
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== null));
}

function instant(text: string, field: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw invalidValue(field);
  return value;
}

function parentOf(account: DriveAccount, metadata: Pick<FileMetadata, "parents">): DriveNode {
  const parents = metadata.parents ?? [];
  if (parents.length > 1) throw tooManyParents();
  return account.folder(parents[0] ?? "root");
}

/**
 * An item is in one folder: a new parent moves the item, even if the request does not remove the old
 * parent.
 * https://developers.google.com/workspace/drive/api/guides/single-parent
 */
function newParent(
  account: DriveAccount,
  node: DriveNode,
  add: string | null,
  remove: string | null,
): DriveNode | undefined {
  const removed = (remove ?? "").split(",").filter((id) => id !== "");
  for (const id of removed) account.file(id);
  const added = (add ?? "").split(",").filter((id) => id !== "");
  if (added.length > 1) throw tooManyParents();
  const [target] = added;
  if (target !== undefined) {
    const isInDrive = account.placeOf(node)?.detail.place?.kind === "sharedDrive";
    // Seen in https://github.com/tidyverse/googledrive/issues/377: a shared drive's item does not leave its folder by itself.
    if (isInDrive && !removed.some((id) => account.file(id).id === node.parentId)) {
      throw new DriveError(403, "teamDrivesParentLimit", "A shared drive item must have exactly one parent.");
    }
    return account.folder(target);
  }
  if (removed.some((id) => account.file(id).id === node.parentId)) {
    throw new DriveError(403, "cannotRemoveParent", "A file must be in a folder.");
  }
  return undefined;
}

function guess(name: string, content: Content | undefined, mediaType: string | undefined): string {
  if (mediaType !== undefined && mediaType !== "" && mediaType !== "application/octet-stream")
    return mediaType;
  return content === undefined ? "application/octet-stream" : mediaTypeOf(name);
}

const tooManyParents = () =>
  new DriveError(403, "cannotAddParent", "Increasing the number of parents is not allowed");
const notAllowed = () =>
  new DriveError(
    403,
    "insufficientFilePermissions",
    "The user does not have sufficient permissions for this file.",
  );
