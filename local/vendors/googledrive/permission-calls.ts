import { createHash } from "node:crypto";
import type { drive_v3 } from "@googleapis/drive";
import * as v from "valibot";
import type { Answer } from "../http/answer.ts";
import { type Caller, type DriveCall, jsonBody, maskedAnswer } from "./call.ts";
import type { DriveNode } from "./drive-account.ts";
import { DriveError } from "./errors.ts";

const DEFAULT_FIELDS = "kind,id,type,role";
const FIELDS = new Set([
  "kind",
  "id",
  "type",
  "role",
  "emailAddress",
  "displayName",
  "domain",
  "allowFileDiscovery",
  "deleted",
  "pendingOwner",
  "expirationTime",
  "permissionDetails",
  "photoLink",
  "view",
]);

const BODY = v.object({
  type: v.picklist(["user", "group", "domain", "anyone"]),
  role: v.picklist(["owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"]),
  emailAddress: v.optional(v.string()),
  domain: v.optional(v.string()),
  allowFileDiscovery: v.optional(v.boolean(), false),
});

/** https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions */
export const permissionCalls: readonly DriveCall[] = [
  { method: "GET", path: "/drive/v3/files/{id}/permissions", access: "read", run: list },
  { method: "POST", path: "/drive/v3/files/{id}/permissions", access: "write", run: create },
  {
    method: "GET",
    path: "/drive/v3/files/{id}/permissions/{inner}",
    access: "read",
    run: (caller) => answer(caller, find(caller).permission),
  },
  { method: "PATCH", path: "/drive/v3/files/{id}/permissions/{inner}", access: "write", run: update },
  { method: "DELETE", path: "/drive/v3/files/{id}/permissions/{inner}", access: "write", run: remove },
];

function list(caller: Caller): Answer {
  const node = caller.account.file(caller.id);
  const resource: drive_v3.Schema$PermissionList = {
    kind: "drive#permissionList",
    permissions: [...node.detail.permissions.values()],
  };
  const known = new Set(["kind", "nextPageToken", "permissions"]);
  return maskedAnswer(caller.request, resource, "kind,permissions(id,type,kind,role)", known);
}

async function create(caller: Caller): Promise<Answer> {
  const node = caller.account.file(caller.id);
  const body = v.safeParse(BODY, await jsonBody(caller.request));
  if (!body.success) {
    const field = String(body.issues[0].path?.[0]?.key ?? "type");
    throw new DriveError(400, "required", `The permission ${field} field is required.`, {
      parameter: `permission.${field}`,
    });
  }
  const { type, role, emailAddress, domain, allowFileDiscovery } = body.output;
  if (role === "owner") {
    throw new DriveError(
      403,
      "forbidden",
      "The transferOwnership parameter must be enabled when the permission role is 'owner'.",
      { parameter: "transferOwnership" },
    );
  }
  if ((type === "user" || type === "group") && emailAddress === undefined) {
    throw new DriveError(400, "invalid", "The permission type field requires an emailAddress.", {
      parameter: "permission.emailAddress",
    });
  }
  const permission: drive_v3.Schema$Permission = {
    kind: "drive#permission",
    id: idOf(type, emailAddress ?? domain ?? "", allowFileDiscovery),
    type,
    role,
    ...(emailAddress === undefined
      ? {}
      : { emailAddress, displayName: emailAddress.split("@")[0] ?? "", deleted: false, pendingOwner: false }),
    ...(domain === undefined ? {} : { domain, displayName: domain }),
    ...(type === "anyone" || type === "domain" ? { allowFileDiscovery } : {}),
  };
  if (node.detail.permissions.size >= 600)
    throw new DriveError(403, "sharingRateLimitExceeded", "Too many permissions.");
  node.detail.permissions.set(permission.id ?? "", permission);
  return answer(caller, permission);
}

async function update(caller: Caller): Promise<Answer> {
  const { node, permission } = find(caller);
  const role = v.safeParse(BODY.entries.role, (await jsonBody(caller.request)).role);
  if (!role.success)
    throw new DriveError(400, "required", "The permission role field is required.", {
      parameter: "permission.role",
    });
  const changed = { ...permission, role: role.output };
  node.detail.permissions.set(caller.inner, changed);
  return answer(caller, changed);
}

function remove(caller: Caller): Answer {
  const { node, permission } = find(caller);
  if (permission.role === "owner") {
    throw new DriveError(
      403,
      "insufficientFilePermissions",
      "The user does not have sufficient permissions for this file.",
    );
  }
  node.detail.permissions.delete(caller.inner);
  return { status: 204 };
}

function find({ account, id, inner }: Caller): { node: DriveNode; permission: drive_v3.Schema$Permission } {
  const node = account.file(id);
  const permission = node.detail.permissions.get(inner);
  if (permission === undefined) {
    throw new DriveError(404, "notFound", `Permission not found: ${inner}.`, { parameter: "permissionId" });
  }
  return { node, permission };
}

function answer(caller: Caller, permission: drive_v3.Schema$Permission): Answer {
  return maskedAnswer(caller.request, permission, DEFAULT_FIELDS, FIELDS);
}

/**
 * One id for each party, so that a second permission for the same party changes the role and makes no
 * second entry.
 */
function idOf(type: string, party: string, isDiscoverable: boolean): string {
  if (type === "anyone") return isDiscoverable ? "anyone" : "anyoneWithLink";
  const digest = createHash("sha256").update(`${type} ${party.toLowerCase()}`).digest();
  return String(digest.readBigUInt64BE()).padStart(20, "0");
}
