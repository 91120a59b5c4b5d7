import { defineConnector } from "../define-connector.ts";
import { dropboxApi, dropboxServer, pathRootField } from "../servers/dropbox.ts";

export default defineConnector({
  key: "dropbox",
  id: 22,
  name: "Dropbox",
  description: "Files and folders of a Dropbox account",
  hub: "documents",
  docs: "https://developers.dropbox.com/oauth-guide",
  console: "https://www.dropbox.com/developers/apps",
  oauth2: {
    ...dropboxServer,
    // Ends the access token that is sent, its refresh token, and all access tokens issued from that refresh
    // token:
    // https://www.dropbox.com/developers/documentation/http/documentation#auth-token-revoke
    revocation: { url: "https://api.dropboxapi.com/2/auth/token/revoke", style: "bearer", ends: "token" },
    scopes: {
      ...dropboxServer.scopes,
      default: [
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
  // https://www.dropbox.com/developers/documentation/http/documentation#users-get_current_account: POST without arguments
  account: {
    method: "POST",
    path: "/2/users/get_current_account",
    scope: "account_info.read",
    id: "account_id",
    name: "name.display_name",
    email: "email",
    facts: { rootNamespace: "root_info.root_namespace_id", homeNamespace: "root_info.home_namespace_id" },
  },
  configuration: [pathRootField],
  sources: [
    {
      url: "https://dropbox.tech/developers/using-oauth-2-0-with-offline-access",
      checked: "2026-11-26",
      facts: "endpoints, token_access_type, lifetimes, refresh tokens do not rotate",
    },
    {
      url: "https://www.dropbox.com/developers/documentation/http/documentation",
      checked: "2026-11-26",
      facts: "revocation, hosts of each call, account",
    },
    {
      url: "https://github.com/dropbox/dropbox-api-spec/blob/main/auth.stone",
      checked: "2026-11-26",
      facts: "errors of an access token",
    },
    {
      url: "https://github.com/dropbox/dropbox-api-spec/blob/main/files.stone",
      checked: "2026-11-27",
      facts: "the call that takes no credential",
    },
    {
      url: "https://www.dropbox.com/developers/reference/path-root-header-modes",
      checked: "2026-11-27",
      facts: "root_info and the roots of paths",
    },
  ],
});
