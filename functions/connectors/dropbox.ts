import { present } from "../core/present.ts";
import { asText, readJson } from "../core/vendor-answer/read-answer.ts";
import type { VendorHttp } from "../core/vendor-http.ts";
import { type Account, defineConnector, seconds } from "./define-connector.ts";

export const dropbox = defineConnector({
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
    // Ends the access token sent, its refresh token, and whatever access tokens came from that one:
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
    // Without it there is no refresh token: https://dropbox.tech/developers/using-oauth-2-0-with-offline-access
    authorizationParameters: { token_access_type: "offline" },
    accessToken: { defaultLifetimeMs: seconds(14_400) },
    // The same page: a refresh answers without a new one; it lasts until user or app revoke it.
    refreshToken: { rotates: false },
  },
  api: {
    origin: "https://api.dropboxapi.com",
    hosts: { content: "https://content.dropboxapi.com", notify: "https://notify.dropboxapi.com" },
    // get_temporary_link leads there.
    downloadHosts: ["*.dropboxusercontent.com"],
    // The host of each call as https://www.dropbox.com/developers/documentation/http/documentation gives it
    // (the official SDK's lib/routes.js has the same as a table): not all that begin with `upload_session` are uploads.
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
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
  },
  account,
});

const ACCOUNT_TIMEOUT_MS = 5_000;
const MAX_ACCOUNT_BYTES = 100_000;

/** https://www.dropbox.com/developers/documentation/http/documentation#users-get_current_account: POST without arguments. */
async function account(http: VendorHttp, accessToken: string): Promise<Account> {
  const response = await http.send({
    method: "POST",
    url: "https://api.dropboxapi.com/2/users/get_current_account",
    headers: [["Authorization", `Bearer ${accessToken}`]],
    allowedHosts: ["api.dropboxapi.com"],
    timeoutMs: ACCOUNT_TIMEOUT_MS,
    freshConnection: true,
    lenient: true,
  });
  const told = (await readJson(response, MAX_ACCOUNT_BYTES, ACCOUNT_TIMEOUT_MS)) as
    | { account_id?: unknown; name?: { display_name?: unknown } | null; email?: unknown }
    | null
    | undefined;
  const id = asText(told?.account_id);
  if (response.status !== 200 || id === undefined) {
    throw new Error(`users/get_current_account answered ${response.status}`);
  }
  const name = asText(told?.name?.display_name);
  const email = asText(told?.email);
  return { id, ...present({ name, email }) };
}
