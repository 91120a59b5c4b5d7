import { defineConnector, signedInAt } from "../define-connector.ts";
import { google } from "../servers/google.ts";

export default defineConnector({
  key: "googledrive",
  id: 51,
  name: "Google Drive",
  description: "Files and folders of a Google Drive",
  hub: "documents",
  docs: "https://developers.google.com/identity/protocols/oauth2/web-server",
  console: "https://console.cloud.google.com/apis/credentials",
  oauth2: signedInAt(google, ["https://www.googleapis.com/auth/drive"]),
  api: {
    origin: "https://www.googleapis.com",
    hosts: { oauth2: "https://oauth2.googleapis.com" },
    downloadHosts: ["*.googleusercontent.com"],
    credential: { in: "header", name: "Authorization", scheme: "Bearer" },
    otherCredentials: [{ in: "query", name: "access_token" }],
  },
  // The method about.get requires `fields`.
  account: {
    method: "GET",
    path: "/drive/v3/about?fields=user",
    id: "user.permissionId",
    name: "user.displayName",
    email: "user.emailAddress",
  },
  sources: [
    {
      url: "https://developers.google.com/workspace/drive/api/reference/rest/v3/about/get",
      checked: "2026-11-26",
      facts: "origin, account",
    },
    {
      url: "https://cloud.google.com/apis/docs/system-parameters",
      checked: "2026-11-26",
      facts: "access_token in the query",
    },
  ],
});
