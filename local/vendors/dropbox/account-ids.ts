import { createHash } from "node:crypto";
import type { users } from "dropbox";

/** The account's id in the API: `dbid:` and 35 characters. The same for a login in every run. */
export function accountIdOf(login: string): string {
  return `dbid:${createHash("sha256").update(`account ${login}`).digest("base64url").slice(0, 35)}`;
}

/** The old numeric user id, which token answers still contain. */
export function userIdOf(login: string): string {
  return String(createHash("sha256").update(`user ${login}`).digest().readUInt32BE());
}

/** The id of a user as a member of a team. */
export function memberIdOf(login: string): string {
  return `dbmid:${createHash("sha256").update(`member ${login}`).digest("base64url").slice(0, 35)}`;
}

/** The one team of the stand-in. */
export const TEAM: users.FullTeam = {
  id: "dbtid:AAFdgehTzw7WlXhZJsbGCLePe8RvQGYDr-I",
  name: "Stand-in Ltd",
  sharing_policies: {
    shared_folder_member_policy: { ".tag": "anyone" },
    shared_folder_join_policy: { ".tag": "from_anyone" },
    shared_link_create_policy: { ".tag": "default_public" },
    group_creation_policy: { ".tag": "admins_only" },
    shared_folder_link_restriction_policy: { ".tag": "anyone" },
    enforce_link_password_policy: { ".tag": "optional" },
    default_link_expiration_days_policy: { ".tag": "none" },
    shared_link_default_permissions_policy: { ".tag": "default" },
  },
  office_addin_policy: { ".tag": "disabled" },
  top_level_content_policy: { ".tag": "admin_only" },
};
