import { defineConnector, signedInAt } from "../define-connector.ts";
import { graphAccount, graphApi, graphSources } from "../servers/graph.ts";
import { microsoft, tenantField } from "../servers/microsoft.ts";

export default defineConnector({
  key: "sharepoint",
  id: 10176,
  name: "SharePoint",
  description: "Document libraries of an organization's SharePoint sites, through the proxy",
  hub: "documents",
  docs: "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
  console: "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade",
  // Files in sites: https://learn.microsoft.com/en-us/graph/api/site-getbypath (2026-11-27).
  oauth2: signedInAt(microsoft, ["offline_access", "Sites.ReadWrite.All", "User.Read"]),
  api: graphApi,
  configuration: [
    {
      key: "site.address",
      name: "Site address",
      description: "Address of the site: https://contoso.sharepoint.com/sites/team",
      required: false,
    },
    tenantField("organizations"),
  ],
  account: graphAccount,
  sources: graphSources,
});
