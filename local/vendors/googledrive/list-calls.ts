import type { drive_v3 } from "@googleapis/drive";
import type { VendorRequest } from "../http/request.ts";
import type { TokenPages } from "../kit/pages.ts";
import { type Caller, type DriveCall, maskedAnswer, numberParameter } from "./call.ts";
import type { DriveAccount, DriveNode } from "./drive-account.ts";
import { DriveError, driveNotFound, fileNotFound, invalidValue } from "./errors.ts";
import { checkFields, parseFields } from "./field-mask.ts";
import { FILE_FIELDS, fileResource } from "./file-resource.ts";
import { parseSearchQuery } from "./search-query.ts";

const LIST_FIELDS = new Set(["kind", "incompleteSearch", "nextPageToken", "files"]);
const DEFAULT_FIELDS = "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)";

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list */
export function listCalls(pages: TokenPages): DriveCall[] {
  return [
    { method: "GET", path: "/drive/v3/files", access: "read", run: (caller) => listFiles(caller, pages) },
  ];
}

function listFiles({ account, request, publicOrigin }: Caller, pages: TokenPages) {
  const q = request.query.get("q") ?? "";
  const orderBy = request.query.get("orderBy") ?? "";
  const pageSize = numberParameter(request, "pageSize", 100, 1000);
  const scope = searchedScope(request);
  const leavesOut = scope.corpora === "allDrives" && account.leavesDrivesOut;
  const nodes = found(account, q, orderBy, leavesOut ? { ...scope, corpora: "user" } : scope);
  const key = JSON.stringify([account.login, q, orderBy, scope]);
  const page = pages.page(key, nodes, request.query.get("pageToken") ?? undefined, pageSize);
  if (page === undefined) throw invalidValue("pageToken");
  const list: drive_v3.Schema$FileList = {
    kind: "drive#fileList",
    incompleteSearch: leavesOut,
    ...(page.next === undefined ? {} : { nextPageToken: page.next }),
    files: page.items.map((node) => fileResource(account, node, publicOrigin)),
  };
  const mask = parseFields(request.query.get("fields") || DEFAULT_FIELDS);
  checkFields(mask.files ?? {}, FILE_FIELDS);
  return maskedAnswer(request, list, DEFAULT_FIELDS, LIST_FIELDS);
}

interface Scope {
  readonly corpora: string;
  readonly driveId: string | undefined;
  readonly allDrives: boolean;
}

/** Reads and checks the parameters that say where to search. */
function searchedScope({ query }: VendorRequest): Scope {
  const corpora = query.get("corpora") || "user";
  const driveId = query.get("driveId") || undefined;
  const allDrives = isTrue(query.get("includeItemsFromAllDrives"));
  if (!["user", "domain", "drive", "allDrives"].includes(corpora)) throw invalidValue("corpora");
  // The reference says that the parameters belong together; it does not show the errors.
  if ((corpora === "drive") !== (driveId !== undefined)) {
    throw new DriveError(
      400,
      "invalid",
      "The driveId parameter must be specified if and only if corpora is set to drive.",
      { parameter: "driveId" },
    );
  }
  if (
    (corpora === "drive" || corpora === "allDrives") &&
    !(allDrives && isTrue(query.get("supportsAllDrives")))
  ) {
    throw new DriveError(
      403,
      "teamDrivesParameterRequired",
      "The parameters supportsAllDrives and includeItemsFromAllDrives are required to search shared drives.",
      { parameter: "includeItemsFromAllDrives" },
    );
  }
  return { corpora, driveId, allDrives };
}

/**
 * "By default, corpora is set to `user`. However, this can change depending on the filter set through the `q` parameter": files of
 * a shared drive are found where `q` names their folder, and else only where the corpora hold the drive.
 */
function isInScope(
  account: DriveAccount,
  node: DriveNode,
  scope: Scope,
  parents: readonly string[],
): boolean {
  const top = account.placeOf(node);
  const isInDrive = top?.detail.place?.kind === "sharedDrive";
  if (scope.corpora === "drive") return isInDrive && top.id === scope.driveId;
  if (!isInDrive) return true;
  return scope.allDrives && (scope.corpora === "allDrives" || parents.includes(node.parentId ?? ""));
}

/**
 * All matching items, sorted. The root folder is never in the list; trashed items are, unless the query
 * excludes them.
 */
function found(account: DriveAccount, q: string, orderBy: string, scope: Scope): DriveNode[] {
  const query = q.trim() === "" ? undefined : parseSearchQuery(q);
  if (scope.driveId !== undefined && account.sharedDrive(scope.driveId) === undefined)
    throw driveNotFound(scope.driveId);
  for (const parent of query?.parents ?? []) {
    // As at Google, the message does not contain the id here.
    if (parent !== "root" && account.tree.get(parent) === undefined) throw fileNotFound("");
  }
  if (query?.usesFullText === true && orderBy !== "") {
    throw new DriveError(
      400,
      "badRequest",
      "Sorting is not supported for queries with fullText terms. Results are always in descending relevance order.",
      { parameter: "orderBy" },
    );
  }
  const compare = comparison(orderBy);
  return [...account.tree.all()]
    .filter((node) => node !== account.tree.root && node.detail.place?.kind !== "sharedDrive")
    .filter((node) => isInScope(account, node, scope, query?.parents ?? []))
    .filter((node) => query?.matches(account, node) ?? true)
    .sort((left, right) => compare(left, right) || (left.id < right.id ? -1 : 1));
}

function isTrue(text: string | null): boolean {
  return text?.toLowerCase() === "true";
}

type Comparison = (left: DriveNode, right: DriveNode) => number;

const KEYS: Readonly<Record<string, Comparison>> = {
  createdTime: (left, right) => left.createdAt - right.createdAt,
  folder: (left, right) => Number(right.directory) - Number(left.directory),
  modifiedByMeTime: (left, right) => left.modifiedAt - right.modifiedAt,
  modifiedTime: (left, right) => left.modifiedAt - right.modifiedAt,
  name: (left, right) => byText(left.name.toLowerCase(), right.name.toLowerCase()),
  name_natural: (left, right) => left.name.localeCompare(right.name, "en", { numeric: true }),
  quotaBytesUsed: (left, right) => size(left) - size(right),
  recency: (left, right) => left.modifiedAt - right.modifiedAt,
  sharedWithMeTime: () => 0,
  starred: (left, right) => Number(right.detail.starred) - Number(left.detail.starred),
  viewedByMeTime: (left, right) => left.modifiedAt - right.modifiedAt,
};

/** `folder,modifiedTime desc,name` */
function comparison(orderBy: string): Comparison {
  if (orderBy.trim() === "") return (left, right) => right.modifiedAt - left.modifiedAt;
  const keys = orderBy.split(",").map((part) => {
    const [name = "", direction, ...more] = part.trim().split(/\s+/);
    const key = KEYS[name];
    if (key === undefined || more.length > 0 || (direction !== undefined && direction !== "desc")) {
      throw invalidValue("orderBy");
    }
    return direction === "desc" ? (left: DriveNode, right: DriveNode) => key(right, left) : key;
  });
  return (left, right) => {
    for (const key of keys) {
      const order = key(left, right);
      if (order !== 0) return order;
    }
    return 0;
  };
}

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
const size = (node: DriveNode): number => node.revisions.at(-1)?.content.size ?? 0;
