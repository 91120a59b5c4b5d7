import type { AuthorizationServer, ConfigurationField, VendorApi } from "../define-connector.ts";
import { seconds } from "../define-connector.ts";

/** Dropbox's authorization server, for users and for teams; the connectors add scopes and revocation. */
export const dropboxServer = {
  authorizationUrl: "https://www.dropbox.com/oauth2/authorize",
  tokenUrl: "https://api.dropboxapi.com/oauth2/token",
  clientAuthentication: "client_secret_post",
  pkce: "S256",
  scopes: { separator: " " },
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
} satisfies AuthorizationServer;

/** The API's hosts: the same for users and teams. */
export const dropboxApi = {
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
} satisfies VendorApi;

/** The folder in which paths begin. */
export const pathRootField = {
  key: "path.root",
  name: "Root of paths",
  description:
    "root: the team space, for members of a team that has one (default); home: the user's own folder; or the id of a namespace",
  required: false,
} satisfies ConfigurationField;
