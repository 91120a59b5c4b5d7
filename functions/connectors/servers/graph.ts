import type { AccountCall, Source, VendorApi } from "../define-connector.ts";

/**
 * Hosts of the storage below Microsoft Graph, for URLs that need no token: downloads, monitors of copies, upload sessions.
 * OneDrive's own: https://learn.microsoft.com/en-us/graph/api/driveitem-get-content and
 * https://learn.microsoft.com/en-us/graph/long-running-actions-overview (2026-11-27). `microsoftpersonalcontent.com` is where Microsoft
 * has moved personal drives to; its pages do not name it.
 */
const STORAGE_HOSTS = [
  "*.sharepoint.com",
  "*.files.1drv.com",
  "api.onedrive.com",
  "my.microsoftpersonalcontent.com",
] as const;

/** Microsoft Graph, the same for all connectors. */
export const graphApi = {
  origin: "https://graph.microsoft.com",
  downloadHosts: STORAGE_HOSTS,
  presignedHosts: STORAGE_HOSTS,
  credential: { in: "header", name: "Authorization", scheme: "Bearer" },
  urlFields: ["@odata.nextLink", "@odata.deltaLink"],
} as const satisfies VendorApi;

/** https://learn.microsoft.com/en-us/graph/api/user-get (2026-11-27) */
export const graphAccount: AccountCall = {
  method: "GET",
  path: "/v1.0/me",
  id: "id",
  name: "displayName",
  email: "userPrincipalName",
};

export const graphSources: readonly Source[] = [
  {
    url: "https://learn.microsoft.com/en-us/graph/use-the-api",
    checked: "2026-11-27",
    facts: "origin",
  },
  {
    url: "https://learn.microsoft.com/en-us/graph/api/user-get",
    checked: "2026-11-27",
    facts: "account",
  },
  {
    url: "https://learn.microsoft.com/en-us/graph/permissions-reference",
    checked: "2026-11-27",
    facts: "scopes",
  },
  {
    url: "https://learn.microsoft.com/en-us/graph/api/driveitem-get-content",
    checked: "2026-11-27",
    facts: "downloads are redirected to pre-authenticated URLs of *.files.1drv.com",
  },
  {
    url: "https://learn.microsoft.com/en-us/graph/api/driveitem-copy",
    checked: "2026-11-27",
    facts: "monitor URLs of *.sharepoint.com",
  },
  {
    url: "https://learn.microsoft.com/en-us/graph/long-running-actions-overview",
    checked: "2026-11-27",
    facts: "monitor URLs of api.onedrive.com, which need no token",
  },
];
