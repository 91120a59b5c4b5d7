import { defineConnector, seconds } from "../define-connector.ts";

export default defineConnector({
  key: "dropbox",
  id: 22,
  name: "Dropbox",
  description: "Files and folders of a Dropbox account",
  hub: "documents",
  docs: "https://developers.dropbox.com/oauth-guide",
  console: "https://www.dropbox.com/developers/apps",
  oauth2: {
    authorizationUrl: "https://www.dropbox.com/oauth2/authorize",
    tokenUrl: "https://api.dropboxapi.com/oauth2/token",
    // Ends the access token that is sent, its refresh token, and all access tokens issued from that refresh
    // token:
    // https://www.dropbox.com/developers/documentation/http/documentation#auth-token-revoke
    revocation: { url: "https://api.dropboxapi.com/2/auth/token/revoke", style: "bearer", ends: "token" },
    clientAuthentication: "client_secret_post",
    pkce: "S256",
    scopes: {
      default: [
        "account_info.read",
        "files.metadata.read",
        "files.metadata.write",
        "files.content.read",
        "files.content.write",
        "sharing.read",
        "sharing.write",
      ],
      separator: " ",
    },
    // Without this parameter, Dropbox issues no refresh token:
    // https://dropbox.tech/developers/using-oauth-2-0-with-offline-access
    authorizationParameters: { token_access_type: "offline" },
    accessToken: {
      defaultLifetimeMs: seconds(14_400),
      // Values of AuthError. Its other values (missing_scope, route_access_denied, user_suspended, …) also
      // occur for valid tokens:
      // https://github.com/dropbox/dropbox-api-spec/blob/main/auth.stone
      endedErrors: ["invalid_access_token", "expired_access_token"],
    },
    // The same page as above: a refresh returns no new refresh token; the token is valid until user or app
    // revoke it.
    refreshToken: { rotates: false },
  },
  api: {
    origin: "https://api.dropboxapi.com",
    hosts: { content: "https://content.dropboxapi.com", notify: "https://notify.dropboxapi.com" },
    // get_temporary_link returns links to these hosts.
    downloadHosts: ["*.dropboxusercontent.com"],
    // The host of each call: https://www.dropbox.com/developers/documentation/http/documentation; the
    // official SDK's lib/routes.js has the same table. Not all calls that begin with `upload_session` are on
    // the content host.
    pathHosts: [
      ...[
        "upload",
        "alpha/upload",
        "upload_session/append",
        "upload_session/append_batch",
        "upload_session/append_v2",
        "upload_session/finish",
        "upload_session/start",
        "download",
        "download_zip",
        "export",
        "get_preview",
        "get_thumbnail",
        "get_thumbnail_batch",
        "get_thumbnail_v2",
      ].map((endpoint) => ({ prefix: `/2/files/${endpoint}`, host: "content" })),
      { prefix: "/2/account/get_photo", host: "content" },
      { prefix: "/2/sharing/get_shared_link_file", host: "content" },
      { prefix: "/2/files/list_folder/longpoll", host: "notify" },
    ],
    // `auth = "noauth"` in https://github.com/dropbox/dropbox-api-spec/blob/main/files.stone; Dropbox answers 400 "Your request
    // includes an Authorization header, but this function does not use it": https://github.com/dropbox/dropbox-sdk-java/issues/35
    withoutCredential: ["/2/files/list_folder/longpoll"],
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
  },
  // https://www.dropbox.com/developers/documentation/http/documentation#users-get_current_account: POST without arguments
  account: {
    method: "POST",
    path: "/2/users/get_current_account",
    id: "account_id",
    name: "name.display_name",
    email: "email",
    facts: { rootNamespace: "root_info.root_namespace_id", homeNamespace: "root_info.home_namespace_id" },
  },
  configuration: [
    {
      key: "path.root",
      name: "Root of paths",
      description:
        "root: the team space, for members of a team that has one (default); home: the user's own folder; or the id of a namespace",
      required: false,
    },
  ],
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
