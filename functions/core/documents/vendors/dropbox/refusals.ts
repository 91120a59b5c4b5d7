import type { Refusal, SaidRefusal } from "../../vendor-failure.ts";
import { type Tagged, taggedError } from "./rpc.ts";

/**
 * The reason of a refusal. "Endpoint-specific errors" have status 409 and an `error_summary`:
 * https://www.dropbox.com/developers/documentation/http/documentation#error-handling
 */
export function dropboxRefusal(status: number, body: unknown): Refusal | SaidRefusal | undefined {
  const error = taggedError(body);
  if (status === 401) return unauthorized(error);
  if (status === 422) return wrongRoot(error);
  if (status !== 409) return undefined;
  const summary = (body as { error_summary?: unknown } | undefined)?.error_summary;
  if (typeof summary !== "string") return undefined;
  return refusals.find(([pattern]) => pattern.test(summary))?.[1] ?? "invalid";
}

/**
 * The meaning of an `error_summary`, which names the members of the error's union from outside to inside; the first match
 * counts. Any other is the request's fault. Members: https://github.com/dropbox/dropbox-api-spec (files.stone, sharing.stone).
 */
const refusals: readonly (readonly [RegExp, Refusal | SaidRefusal])[] = [
  [/\b(?:shared_link_)?not_found\b/, "not_found"],
  [/\bconflict\b/, "conflict"],
  [/\bnot_file\b/, "not_a_file"],
  [/\bnot_folder\b/, "not_a_folder"],
  [/\binsufficient_(space|quota)\b/, "storage_full"],
  [/\btoo_many_files\b/, "too_many_items"],
  [
    /\binvalid_export_format\b/,
    { reason: "invalid", says: "mediaType: the vendor cannot export this file in that format" },
  ],
  [/\bretry_error\b/, "not_ready"],
  [
    /\b(?:no_(?:write_)?permission|restricted_content|team_folder|email_not_verified|(?:shared_link_)?access_denied|access_restricted|not_authorized|banned_member|operation_suppressed|locked)\b/,
    "forbidden",
  ],
  [/\btoo_many_(write_operations|requests)\b/, "rate_limited"],
  [/^reset\b/, "cursor_expired"],
];

/**
 * `AuthError` in https://github.com/dropbox/dropbox-api-spec/blob/main/auth.stone: only some of its members mean that the token
 * has ended.
 */
function unauthorized(error: Tagged | undefined): SaidRefusal | undefined {
  switch (error?.[".tag"]) {
    case "missing_scope": {
      const scope = typeof error.required_scope === "string" ? error.required_scope.slice(0, 100) : "unknown";
      return {
        reason: "missing_scope",
        says: `the connection was made without the scope ${scope}, which this call needs: connect again with that scope`,
      };
    }
    case "invalid_select_user":
      return { reason: "forbidden", says: "the team has no such member, or the member is not active" };
    case "user_suspended":
      return { reason: "forbidden", says: "the vendor has suspended this user" };
    case "route_access_denied":
      return { reason: "forbidden", says: "the vendor does not allow this call to this app" };
  }
  return undefined;
}

/** 422: `PathRootError` in https://github.com/dropbox/dropbox-api-spec/blob/main/common.stone */
function wrongRoot(error: Tagged | undefined): SaidRefusal | undefined {
  switch (error?.[".tag"]) {
    case "invalid_root":
      return {
        reason: "conflict",
        says: "the account's root folder has changed since the user signed in, so paths may lead elsewhere: let the user sign in again, or set the configuration's path.root to home",
      };
    case "no_permission":
      return {
        reason: "forbidden",
        says: "the account cannot open the namespace in the configuration's path.root",
      };
  }
  return undefined;
}
