import type { drive_v3 } from "@googleapis/drive";
import { digestOf, wholeText } from "../content.ts";
import { onePagePdf } from "../demo-files.ts";
import type { Revision } from "../file-tree.ts";
import { type Answer, contentAnswer } from "../http/answer.ts";
import type { TokenPages } from "../kit/pages.ts";
import { type Caller, type DriveCall, maskedAnswer, numberParameter } from "./call.ts";
import { type DriveNode, FOLDER, isGoogleType, newId, QUOTA_BYTES } from "./drive-account.ts";
import { DriveError, invalidValue } from "./errors.ts";
import { fileAnswer } from "./file-answer.ts";
import { EXPORT_TYPES, time, userResource } from "./file-resource.ts";

/** Calls that read: https://developers.google.com/workspace/drive/api/reference/rest/v3 */
export function readCalls(pages: TokenPages): DriveCall[] {
  return [
    { method: "GET", path: "/drive/v3/about", access: "read", run: about },
    { method: "GET", path: "/drive/v3/files/generateIds", access: "read", run: generateIds },
    { method: "GET", path: "/drive/v3/files/{id}", access: "read", run: getFile },
    { method: "GET", path: "/drive/v3/files/{id}/export", access: "read", run: exportFile },
    {
      method: "GET",
      path: "/drive/v3/files/{id}/revisions",
      access: "read",
      run: (caller) => listRevisions(caller, pages),
    },
    { method: "GET", path: "/drive/v3/files/{id}/revisions/{inner}", access: "read", run: getRevision },
  ];
}

const ABOUT_FIELDS = new Set([
  "kind",
  "user",
  "storageQuota",
  "exportFormats",
  "importFormats",
  "maxUploadSize",
  "maxImportSizes",
  "appInstalled",
  "canCreateDrives",
  "canCreateTeamDrives",
  "folderColorPalette",
]);

function about({ account, request }: Caller): Answer {
  if (!request.query.get("fields")) {
    throw new DriveError(400, "required", "The 'fields' parameter is required for this method.", {
      parameter: "fields",
    });
  }
  const used = String(account.tree.usedBytes());
  const resource: drive_v3.Schema$About = {
    kind: "drive#about",
    user: userResource(account),
    storageQuota: {
      limit: String(QUOTA_BYTES),
      usage: used,
      usageInDrive: used,
      usageInDriveTrash: String(account.trashedBytes()),
    },
    exportFormats: { "application/vnd.google-apps.document": [...EXPORT_TYPES] },
    importFormats: {},
    maxUploadSize: "5242880000000",
    appInstalled: false,
    canCreateDrives: false,
    canCreateTeamDrives: false,
    folderColorPalette: ["#ac725e", "#d06b64", "#f83a22"],
  };
  return maskedAnswer(request, resource, "*", ABOUT_FIELDS);
}

function generateIds({ request }: Caller): Answer {
  const count = numberParameter(request, "count", 10, 1000);
  const resource: drive_v3.Schema$GeneratedIds = {
    kind: "drive#generatedIds",
    space: "drive",
    ids: Array.from({ length: count }, newId),
  };
  return maskedAnswer(request, resource, "*", new Set(["kind", "space", "ids"]));
}

function getFile(caller: Caller): Answer {
  const node = caller.account.file(caller.id);
  if (caller.request.query.get("alt") !== "media") return fileAnswer(caller, node);
  refuseDownload(caller, node);
  return bytesAnswer(caller, node, node.revisions.at(-1));
}

/**
 * https://developers.google.com/workspace/drive/api/guides/handle-errors; `acknowledgeAbuse` is for the owner alone, and only for a
 * marked file: https://developers.google.com/workspace/drive/api/reference/rest/v3/files/get
 */
function refuseDownload({ account, request }: Caller, node: DriveNode): void {
  const isAcknowledged = request.query.get("acknowledgeAbuse")?.toLowerCase() === "true";
  if (node.detail.restriction === "downloads") {
    throw new DriveError(
      403,
      "downloadQuotaExceeded",
      "The download quota for this file has been exceeded.",
      { domain: "usageLimits" },
    );
  }
  if (node.detail.restriction === "malware") {
    const isOwner = account.placeOf(node) === undefined;
    if (isOwner && isAcknowledged) return;
    throw new DriveError(
      403,
      "cannotDownloadAbusiveFile",
      isAcknowledged
        ? "Only the owner can download abusive files."
        : "This file has been identified as malware or spam and cannot be downloaded.",
    );
  }
  // Seen in the source of wcpan.drive.google: the reason of a needless acknowledgement.
  if (isAcknowledged)
    throw new DriveError(403, "invalidAbuseAcknowledgment", "The file is not marked as abusive.");
}

function bytesAnswer({ request }: Caller, node: DriveNode, revision: Revision | undefined): Answer {
  if (revision === undefined || isGoogleType(node.detail.mimeType)) {
    throw new DriveError(
      403,
      "fileNotDownloadable",
      "Only files with binary content can be directly downloaded. Use Export with Docs Editors files.",
      { parameter: "alt" },
    );
  }
  return contentAnswer(revision.content, request.header("range"), {
    "Content-Type": revision.mediaType,
    "Content-Disposition": "attachment",
    Vary: "Origin, X-Origin",
    "Cache-Control": "private, max-age=0, must-revalidate",
  });
}

function exportFile({ account, request, id }: Caller): Answer {
  const node = account.file(id);
  const newest = node.revisions.at(-1);
  if (!isGoogleType(node.detail.mimeType) || node.detail.mimeType === FOLDER || newest === undefined) {
    throw new DriveError(403, "fileNotExportable", "Export only supports Docs Editors files.");
  }
  if (node.detail.restriction === "export") {
    throw new DriveError(403, "exportSizeLimitExceeded", "This file is too large to be exported.");
  }
  const mimeType = request.query.get("mimeType");
  if (!mimeType) {
    throw new DriveError(400, "required", "Required parameter: mimeType", { parameter: "mimeType" });
  }
  if (!EXPORT_TYPES.includes(mimeType)) {
    throw new DriveError(400, "badRequest", "The requested conversion is not supported.", {
      parameter: "convertTo",
    });
  }
  return exported(node, newest, mimeType);
}

/** A document in another format. */
export function exported(node: DriveNode, revision: Revision, mimeType: string): Answer {
  const headers = { "Content-Type": mimeType, "Content-Disposition": "attachment" };
  if (mimeType === "application/pdf") return contentAnswer(onePagePdf(node.name), undefined, headers);
  const text = wholeText(revision.content, 10_000_000) ?? "";
  if (mimeType === "text/plain") return { status: 200, headers, body: text };
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return { status: 200, headers, body: `<html><body><p>${escaped}</p></body></html>` };
}

const REVISION_FIELDS = new Set([
  "kind",
  "id",
  "mimeType",
  "modifiedTime",
  "keepForever",
  "published",
  "lastModifyingUser",
  "originalFilename",
  "md5Checksum",
  "size",
  "exportLinks",
]);

/** Oldest first. https://developers.google.com/workspace/drive/api/reference/rest/v3/revisions/list */
function listRevisions(caller: Caller, pages: TokenPages): Answer {
  const node = withRevisions(caller);
  const pageSize = numberParameter(caller.request, "pageSize", 200, 1000);
  const token = caller.request.query.get("pageToken") ?? undefined;
  const page = pages.page(`revisions ${node.id}`, node.revisions, token, pageSize);
  if (page === undefined) throw invalidValue("pageToken");
  const list: drive_v3.Schema$RevisionList = {
    kind: "drive#revisionList",
    ...(page.next === undefined ? {} : { nextPageToken: page.next }),
    revisions: page.items.map((revision) => revisionResource(caller, node, revision)),
  };
  const defaults = "kind,nextPageToken,revisions(id,kind,mimeType,modifiedTime)";
  return maskedAnswer(caller.request, list, defaults, new Set(["kind", "nextPageToken", "revisions"]));
}

function getRevision(caller: Caller): Answer {
  const node = withRevisions(caller);
  const revision =
    node.revisions.find((each) => each.id === caller.inner) ??
    (caller.inner === "head" ? node.revisions.at(-1) : undefined);
  if (revision === undefined) {
    throw new DriveError(404, "notFound", `Revision not found: ${caller.inner}.`, {
      parameter: "revisionId",
    });
  }
  if (caller.request.query.get("alt") === "media") return bytesAnswer(caller, node, revision);
  return maskedAnswer(
    caller.request,
    revisionResource(caller, node, revision),
    "id,kind,mimeType,modifiedTime",
    REVISION_FIELDS,
  );
}

function withRevisions({ account, id }: Caller): DriveNode {
  const node = account.file(id);
  if (!node.directory) return node;
  throw new DriveError(403, "revisionsNotSupported", "The file does not support revisions.");
}

function revisionResource(
  { account }: Caller,
  node: DriveNode,
  revision: Revision,
): drive_v3.Schema$Revision {
  const isBinary = !isGoogleType(node.detail.mimeType);
  return {
    kind: "drive#revision",
    id: revision.id,
    mimeType: revision.mediaType,
    modifiedTime: time(revision.storedAt),
    published: false,
    lastModifyingUser: userResource(account),
    ...(isBinary
      ? {
          keepForever: false,
          originalFilename: node.detail.originalFilename ?? node.name,
          md5Checksum: digestOf(revision.content, "md5"),
          size: String(revision.content.size),
        }
      : {}),
  };
}
