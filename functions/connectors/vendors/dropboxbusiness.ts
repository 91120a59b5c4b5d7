import { defineConnector } from "../define-connector.ts";
import { dropboxApi, dropboxServer, pathRootField } from "../servers/dropbox.ts";

/** A Dropbox team: an admin connects it, and calls act for one of its members. */
export default defineConnector({
  key: "dropboxbusiness",
  // The original catalogue's number is not known here.
  id: 10023,
  name: "Dropbox Business",
  description: "Files and folders of the members of a Dropbox team",
  hub: "documents",
  docs: "https://www.dropbox.com/developers/documentation/http/teams",
  console: "https://www.dropbox.com/developers/apps",
  oauth2: {
    ...dropboxServer,
    // No revocation: auth/token/revoke refuses a team's token that names no member
    // (https://github.com/watermint/toolbox/issues/18), and what it ends for one that does is not documented.
    scopes: {
      ...dropboxServer.scopes,
      // `scope` of each route in https://github.com/dropbox/dropbox-api-spec; team_data.member is needed to act for members.
      default: [
        "team_info.read",
        "team_data.member",
        "members.read",
        "account_info.read",
        "files.metadata.read",
        "files.metadata.write",
        "files.content.read",
        "files.content.write",
        "sharing.read",
        "sharing.write",
      ],
    },
  },
  api: dropboxApi,
  // The admin who has connected the team: https://www.dropbox.com/developers/documentation/http/teams#team-token-get_authenticated_admin
  account: {
    method: "POST",
    path: "/2/team/token/get_authenticated_admin",
    id: "admin_profile.team_member_id",
    name: "admin_profile.name.display_name",
    email: "admin_profile.email",
    facts: {
      member: "admin_profile.team_member_id",
      rootNamespace: "admin_profile.root_folder_id",
      homeNamespace: "admin_profile.member_folder_id",
    },
  },
  configuration: [
    {
      key: "team.member.id",
      name: "Team member",
      description:
        "The member for whom calls act that have no header Elements-As-Team-Member: a member's id (dbmid:…) or e-mail address. Absent: the admin who has connected the team",
      required: false,
    },
    pathRootField,
  ],
  sources: [
    {
      url: "https://dropbox.tech/developers/using-oauth-2-0-with-offline-access",
      checked: "2026-11-26",
      facts: "endpoints, token_access_type, lifetimes, refresh tokens do not rotate",
    },
    {
      url: "https://www.dropbox.com/developers/documentation/http/teams",
      checked: "2026-11-27",
      facts: "member file access (Dropbox-API-Select-User, team_data.member), the admin of a token, members",
    },
    {
      url: "https://www.dropbox.com/developers/reference/path-root-header-modes",
      checked: "2026-11-27",
      facts: "the roots of paths",
    },
  ],
});
