import type { drive_v3 } from "@googleapis/drive";
import type { Answer } from "../http/answer.ts";
import type { TokenPages } from "../kit/pages.ts";
import { type Caller, type DriveCall, jsonBody, maskedAnswer, numberParameter } from "./call.ts";
import type { DriveNode } from "./drive-account.ts";
import { DriveError, driveNotFound, invalidValue } from "./errors.ts";
import { checkFields, parseFields } from "./field-mask.ts";

const FIELDS = new Set(["kind", "id", "name", "createdTime", "hidden", "capabilities"]);
const DEFAULT_LIST_FIELDS = "kind,nextPageToken,drives(id,name,kind)";

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/drives */
export function sharedDriveCalls(pages: TokenPages): DriveCall[] {
  /** `requestId` -> drive: "a random UUID … for idempotent creation". */
  const requests = new Map<string, string>();
  return [
    { method: "GET", path: "/drive/v3/drives", access: "read", run: (caller) => list(caller, pages) },
    { method: "POST", path: "/drive/v3/drives", access: "write", run: (caller) => create(caller, requests) },
    {
      method: "GET",
      path: "/drive/v3/drives/{id}",
      access: "read",
      run: (caller) => answer(caller, find(caller)),
    },
    { method: "PATCH", path: "/drive/v3/drives/{id}", access: "write", run: rename },
    { method: "DELETE", path: "/drive/v3/drives/{id}", access: "write", run: remove },
  ];
}

function list({ account, request }: Caller, pages: TokenPages): Answer {
  const pageSize = numberParameter(request, "pageSize", 10, 100);
  const token = request.query.get("pageToken") ?? undefined;
  const page = pages.page(`drives ${account.login}`, account.sharedDrives(), token, pageSize);
  if (page === undefined) throw invalidValue("pageToken");
  const resource: drive_v3.Schema$DriveList = {
    kind: "drive#driveList",
    ...(page.next === undefined ? {} : { nextPageToken: page.next }),
    drives: page.items.map(driveResource),
  };
  const mask = parseFields(request.query.get("fields") || DEFAULT_LIST_FIELDS);
  checkFields(mask.drives ?? {}, FIELDS);
  return maskedAnswer(request, resource, DEFAULT_LIST_FIELDS, new Set(["kind", "nextPageToken", "drives"]));
}

async function create(caller: Caller, requests: Map<string, string>): Promise<Answer> {
  const { account, request } = caller;
  const requestId = request.query.get("requestId");
  if (!requestId)
    throw new DriveError(400, "required", "Required parameter: requestId", { parameter: "requestId" });
  const { name } = await jsonBody(request);
  if (typeof name !== "string" || name === "")
    throw new DriveError(400, "required", "The name field is required.", { parameter: "drive.name" });
  // "If the shared drive already exists a 409 error will be returned."
  const key = `${account.login} ${requestId}`;
  if (requests.has(key))
    throw new DriveError(409, "conflict", "A shared drive was already created by this request.");
  const drive = account.addSharedDrive(name);
  requests.set(key, drive.id);
  return answer(caller, drive);
}

async function rename(caller: Caller): Promise<Answer> {
  const drive = find(caller);
  const { name } = await jsonBody(caller.request);
  if (typeof name === "string" && name !== "") drive.detail.place = { kind: "sharedDrive", name };
  return answer(caller, drive);
}

/** "The shared drive cannot contain any untrashed items." The page does not give the reason in the answer. */
function remove(caller: Caller): Answer {
  const drive = find(caller);
  const { account } = caller;
  if ([...account.tree.below(drive.id)].some((node) => !account.isTrashed(node))) {
    throw new DriveError(
      403,
      "cannotDeleteNonEmptyTeamDrive",
      "The shared drive cannot be deleted because it contains items.",
    );
  }
  account.tree.remove(drive);
  return { status: 204 };
}

function find({ account, id }: Caller): DriveNode {
  const drive = account.sharedDrive(id);
  if (drive === undefined) throw driveNotFound(id);
  return drive;
}

function answer({ request }: Caller, drive: DriveNode): Answer {
  return maskedAnswer(request, driveResource(drive), "kind,id,name", FIELDS);
}

function driveResource({ id, detail, createdAt }: DriveNode): drive_v3.Schema$Drive {
  const name = detail.place?.kind === "sharedDrive" ? detail.place.name : "";
  return { kind: "drive#drive", id, name, createdTime: new Date(createdAt).toISOString(), hidden: false };
}
