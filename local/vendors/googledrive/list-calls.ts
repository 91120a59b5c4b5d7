import type { drive_v3 } from "@googleapis/drive";
import type { PageTokens } from "../page-token.ts";
import { type Caller, type DriveCall, maskedAnswer, numberParameter } from "./call.ts";
import type { DriveAccount, DriveNode } from "./drive-account.ts";
import { DriveError, fileNotFound, invalidValue } from "./errors.ts";
import { checkFields, parseFields } from "./field-mask.ts";
import { FILE_FIELDS, fileResource } from "./file-resource.ts";
import { parseSearchQuery } from "./search-query.ts";

const LIST_FIELDS = new Set(["kind", "incompleteSearch", "nextPageToken", "files"]);
const DEFAULT_FIELDS = "kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)";

interface PageToken {
  readonly login: string;
  readonly q: string;
  readonly orderBy: string;
  readonly lastId: string;
  readonly offset: number;
}

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list */
export function listCalls(tokens: PageTokens): DriveCall[] {
  return [
    { method: "GET", path: "/drive/v3/files", access: "read", run: (caller) => listFiles(caller, tokens) },
    { method: "GET", path: "/drive/v3/drives", access: "read", run: listDrives },
    { method: "GET", path: "/drive/v3/drives/{id}", access: "read", run: getDrive },
  ];
}

function listFiles({ account, request, publicOrigin }: Caller, tokens: PageTokens) {
  const q = request.query.get("q") ?? "";
  const orderBy = request.query.get("orderBy") ?? "";
  const pageSize = numberParameter(request, "pageSize", 100, 1000);
  const nodes = found(account, q, orderBy, isTrue(request.query.get("includeItemsFromAllDrives")));
  const offset = start(nodes, account, { q, orderBy, token: request.query.get("pageToken") ?? "" }, tokens);
  const page = nodes.slice(offset, offset + pageSize);
  const last = page.at(-1);
  const hasMore = last !== undefined && offset + page.length < nodes.length;
  const next: PageToken | undefined = hasMore
    ? { login: account.login, q, orderBy, lastId: last.id, offset: offset + page.length }
    : undefined;
  const list: drive_v3.Schema$FileList = {
    kind: "drive#fileList",
    incompleteSearch: false,
    ...(next === undefined ? {} : { nextPageToken: tokens.seal(next) }),
    files: page.map((node) => fileResource(account, node, publicOrigin)),
  };
  const mask = parseFields(request.query.get("fields") || DEFAULT_FIELDS);
  checkFields(mask.files ?? {}, FILE_FIELDS);
  return maskedAnswer(request, list, DEFAULT_FIELDS, LIST_FIELDS);
}

const DRIVE_FIELDS = new Set(["kind", "id", "name", "createdTime", "hidden"]);

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/drives/list */
function listDrives({ account, request }: Caller) {
  numberParameter(request, "pageSize", 10, 100);
  const list: drive_v3.Schema$DriveList = {
    kind: "drive#driveList",
    drives: account.sharedDrives().map(driveResource),
  };
  const mask = parseFields(request.query.get("fields") || "kind,nextPageToken,drives(id,name,kind)");
  checkFields(mask.drives ?? {}, DRIVE_FIELDS);
  return maskedAnswer(
    request,
    list,
    "kind,nextPageToken,drives(id,name,kind)",
    new Set(["kind", "nextPageToken", "drives"]),
  );
}

function getDrive({ account, request, id }: Caller) {
  const drive = account.sharedDrives().find((each) => each.id === id);
  if (drive === undefined) throw new DriveError(404, "notFound", `Shared drive not found: ${id}`);
  return maskedAnswer(request, driveResource(drive), "kind,id,name", DRIVE_FIELDS);
}

function driveResource({ id, detail, createdAt }: DriveNode): drive_v3.Schema$Drive {
  const name = detail.place?.kind === "sharedDrive" ? detail.place.name : "";
  return { kind: "drive#drive", id, name, createdTime: new Date(createdAt).toISOString(), hidden: false };
}

/**
 * All matching items, sorted. The root folder is never in the list; trashed items are, unless the query
 * excludes them.
 */
function found(account: DriveAccount, q: string, orderBy: string, allDrives: boolean): DriveNode[] {
  const query = q.trim() === "" ? undefined : parseSearchQuery(q);
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
    .filter((node) => allDrives || account.placeOf(node)?.detail.place?.kind !== "sharedDrive")
    .filter((node) => query?.matches(account, node) ?? true)
    .sort((left, right) => compare(left, right) || (left.id < right.id ? -1 : 1));
}

function start(
  nodes: readonly DriveNode[],
  account: DriveAccount,
  asked: { q: string; orderBy: string; token: string },
  tokens: PageTokens,
): number {
  if (asked.token === "") return 0;
  const token = tokens.open<PageToken>(asked.token);
  const isSame = token?.login === account.login && token.q === asked.q && token.orderBy === asked.orderBy;
  if (token === undefined || !isSame) throw invalidValue("pageToken");
  const last = nodes.findIndex((node) => node.id === token.lastId);
  return last < 0 ? token.offset : last + 1;
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
