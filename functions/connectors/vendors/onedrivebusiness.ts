import { defineConnector, signedInAt } from "../define-connector.ts";
import { graphAccount, graphApi, graphSources } from "../servers/graph.ts";
import { microsoft, tenantField } from "../servers/microsoft.ts";

export default defineConnector({
  key: "onedrivebusiness",
  id: 10181,
  name: "OneDrive for Business",
  description: "Files and folders of an organization's OneDrive, through the proxy",
  hub: "documents",
  docs: "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
  console: "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade",
  oauth2: signedInAt(microsoft, ["offline_access", "Files.ReadWrite.All", "User.Read"]),
  api: graphApi,
  configuration: [tenantField("organizations")],
  account: graphAccount,
  sources: graphSources,
});
