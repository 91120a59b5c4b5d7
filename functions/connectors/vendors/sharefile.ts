import { defineConnector, seconds } from "../define-connector.ts";

// The hosts of ShareFile's control planes. The official PowerShell module has them as the known domains:
// https://github.com/citrix/ShareFile-PowerShell/blob/master/ShareFileSnapIn/Classes/AuthenticationDomain.cs
const CONTROL_PLANES = ["sf-api.com", "sf-api.eu", "sharefile.com", "sharefile.eu", "securevdr.com"] as const;

const STORAGE_HOSTS = ["*.sharefile.com", "*.sharefile.eu", "*.securevdr.com"] as const;

export default defineConnector({
  key: "sharefile",
  id: 450,
  name: "ShareFile",
  description: "Files and folders of a ShareFile account",
  hub: "documents",
  docs: "https://api.sharefile.com/gettingstarted/oauth2",
  console: "https://api.sharefile.com/apikeys",
  oauth2: {
    authorizationUrl: "https://secure.sharefile.com/oauth/authorize",
    // Both values come with the callback, which anybody can forge: their formats leave only hosts of ShareFile.
    tokenUrl: "https://{subdomain}.{apicp}/oauth/token",
    // As the official SDK sends the client (OAuthService.cs).
    clientAuthentication: "client_secret_post",
    // ShareFile has no scopes: a token has the user's own permissions.
    scopes: { default: [], separator: " " },
    accessToken: {
      defaultLifetimeMs: seconds(28_800),
      // The `reason` of a 401. `NotAuthorized` is a missing permission:
      // https://github.com/citrix/ShareFile-NET/blob/master/src/ShareFile.Api.Client/Models/ExceptionReason.cs
      endedErrors: ["NotAuthenticated"],
    },
    refreshToken: { rotates: true },
  },
  api: {
    // The official SDK builds the API's host in the same way (OAuthToken.cs, GetUri).
    origin: "https://{subdomain}.{apicp}",
    // Hosts of the storage that ShareFile runs, for uploads and downloads: `storage-….sharefile.com`. A customer's own storage zone has
    // the customer's host: https://api.sharefile.com/gettingstarted/storagezones
    presignedHosts: STORAGE_HOSTS,
    downloadHosts: STORAGE_HOSTS,
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
  },
  captured: [
    // Apps of the original API send the code alone, and this value in the configuration:
    // https://docs.cloud-elements.com/home/sharefile-authenticate
    { key: "subdomain", format: "hostLabel", configurationKey: "sharefile.subdomain" },
    { key: "apicp", format: { oneOf: CONTROL_PLANES }, default: "sf-api.com" },
  ],
  // Without an id, `Users` is the user of the token: https://api.sharefile.com/html/docs/Users.html
  account: { method: "GET", path: "/sf/v3/Users", id: "Id", name: "FullName", email: "Email" },
  sources: [
    {
      url: "https://api.sharefile.com/gettingstarted/oauth2",
      checked: "2026-11-27",
      facts: "endpoints, what the callback carries (subdomain, apicp, appcp, h)",
    },
    {
      url: "https://api.sharefile.com/gettingstarted/oauth2password",
      checked: "2026-11-27",
      facts: "members of the token answer",
    },
    {
      url: "https://github.com/citrix/ShareFile-NET/blob/master/src/ShareFile.Api.Client/Security/Authentication/OAuth2/OAuthService.cs",
      checked: "2026-11-27",
      facts: "token and refresh requests, client authentication",
    },
    {
      url: "https://github.com/rclone/rclone/blob/master/backend/sharefile/sharefile.go",
      checked: "2026-11-27",
      facts: "token URL and API host from subdomain and apicp (rclone, not the vendor)",
    },
    {
      url: "https://api.sharefile.com/html/docs/Users.html",
      checked: "2026-11-27",
      facts: "account",
    },
  ],
});
