import { present } from "../present.ts";
import type { DocumentsVendor } from "./vendor.ts";

/**
 * One call of the Documents hub. `name` is the same for its forms by path and by id, also in metrics. `needs`:
 * the vendor's method that the call needs; without it the answer is 501. `"later"`: Linkspan has not
 * implemented the call yet.
 */
export interface HubCall {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path relative to the hub's prefix; the short form of the URL has no prefix and uses this path alone. */
  readonly path: string;
  readonly name: string;
  readonly needs?: keyof DocumentsVendor | "later";
  /** False: this GET creates something at the vendor, which a HEAD must not do. */
  readonly head?: false;
}

type Row = readonly [methods: string, paths: string, name: string, needs?: HubCall["needs"]];

/** All calls of the hub; the paths of a row are the forms of one call. */
const rows = [
  ["GET", "/ping", "ping"],
  ["GET", "/me", "me"],
  ["GET", "/storage", "storage", "storage"],
  ["GET", "/objects", "objects"],
  ["POST", "/files", "files.upload"],
  ["GET", "/files /files/{id}", "files.download"],
  ["DELETE", "/files /files/{id}", "files.delete"],
  ["POST", "/files/copy /files/{id}/copy", "files.copy"],
  ["GET", "/files/metadata /files/{id}/metadata", "files.metadata"],
  ["PATCH", "/files/metadata /files/{id}/metadata", "files.change"],
  ["GET", "/files/links /files/{id}/links", "files.links", "links"],
  ["DELETE", "/files/links /files/{id}/links", "files.unlink", "removeLinks"],
  ["GET", "/files/revisions /files/{id}/revisions", "files.revisions", "revisions"],
  ["GET", "/files/revisions/{revisionId} /files/{id}/revisions/{revisionId}", "files.revision", "revisions"],
  ["POST", "/folders", "folders.create"],
  ["GET", "/folders/contents /folders/{id}/contents", "folders.contents"],
  ["DELETE", "/folders /folders/{id}", "folders.delete"],
  ["POST", "/folders/copy /folders/{id}/copy", "folders.copy"],
  ["GET", "/folders/metadata /folders/{id}/metadata", "folders.metadata"],
  ["PATCH", "/folders/metadata /folders/{id}/metadata", "folders.change"],
  ["GET", "/folders/links /folders/{id}/links", "folders.links", "links"],
  ["DELETE", "/folders/links /folders/{id}/links", "folders.unlink", "removeLinks"],
  ["GET", "/search", "search"],
  ["GET", "/team-drives", "team-drives.list", "teamDrives"],
  ["POST", "/team-drives", "team-drives.create", "createTeamDrive"],
  ["GET", "/team-drives/{driveId}", "team-drives.read", "teamDrives"],
  ["PATCH", "/team-drives/{driveId}", "team-drives.change", "renameTeamDrive"],
  ["DELETE", "/team-drives/{driveId}", "team-drives.delete", "removeTeamDrive"],
  ["GET POST", "/files/comments /files/{id}/comments", "files.comments", "later"],
  ["GET PATCH DELETE", "/files/{id}/comments/{commentId}", "files.comment", "later"],
  ["PUT DELETE", "/files/lock /files/{id}/lock", "files.lock", "later"],
  ["POST", "/files/uploads", "files.uploads", "later"],
  ["GET DELETE", "/files/uploads/{uploadId}", "files.upload-session", "later"],
  ["POST", "/files/uploads/{uploadId}/complete", "files.upload-complete", "later"],
  ["GET POST", "/files/thumbnails /files/{id}/thumbnails", "files.thumbnails", "later"],
  ["GET", "/jobs/{jobId}", "jobs"],
  [
    "GET POST",
    "/files/permissions /files/{id}/permissions /folders/permissions /folders/{id}/permissions",
    "permissions",
    "later",
  ],
  [
    "GET PATCH DELETE",
    "/files/permissions/{permissionId} /files/{id}/permissions/{permissionId} /folders/permissions/{permissionId} /folders/{id}/permissions/{permissionId}",
    "permission",
    "later",
  ],
  ["PATCH", "/files/metadata/properties /files/{id}/metadata/properties", "files.properties", "later"],
  [
    "GET POST PUT PATCH DELETE",
    "/files/{id}/custom-fields /files/{id}/custom-fields/{templateKey} /files/{id}/custom-fields-templates/{templateKey}/custom-fields",
    "files.custom-fields",
    "later",
  ],
  [
    "GET POST PUT DELETE",
    "/custom-fields/templates /custom-fields/templates/{templateId} /custom-fields-templates /custom-fields-templates/{templateId}",
    "custom-field-templates",
    "later",
  ],
  ["GET", "/folders/{id}/collaborations", "folders.collaborations", "later"],
  ["GET", "/sub-sites", "sub-sites", "later"],
  ["GET", "/members", "members", "members"],
  ["GET", "/changes", "changes", "later"],
] as const satisfies readonly Row[];

type NameOf<R> = R extends readonly [string, string, string, "later"]
  ? never
  : R extends readonly [string, string, infer Name extends string, ...unknown[]]
    ? Name
    : never;

/** Names of the calls that are implemented. */
export type HubCallName = NameOf<(typeof rows)[number]>;

/** These calls create a shared link if none exists, and everybody who has the link can open the item. */
const NOT_FOR_HEAD: ReadonlySet<string> = new Set(["files.links", "folders.links"]);

export const hubCalls: readonly HubCall[] = (rows as readonly Row[]).flatMap(
  ([methods, paths, name, needs]) =>
    paths.split(" ").flatMap((path) =>
      methods.split(" ").map((method) => ({
        method: method as HubCall["method"],
        path,
        name,
        ...present({ needs }),
        ...(method === "GET" && NOT_FOR_HEAD.has(name) ? { head: false as const } : {}),
      })),
    ),
);

/** Whether a vendor has the method that a call needs. @param has whether the vendor has a method of that name */
export function isSupported(call: HubCall, has: (method: keyof DocumentsVendor) => boolean): boolean {
  return call.needs === undefined || (call.needs !== "later" && has(call.needs));
}
