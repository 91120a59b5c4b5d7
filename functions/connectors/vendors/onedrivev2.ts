import { defineConnector, signedInAt } from "../define-connector.ts";
import { graphAccount, graphApi, graphSources } from "../servers/graph.ts";
import { microsoft, tenantField } from "../servers/microsoft.ts";

export default defineConnector({
  key: "onedrivev2",
  // The original catalogue's element `onedrive` had an older API of the same drives.
  aliases: ["onedrive"],
  id: 10146,
  name: "OneDrive",
  description: "Files and folders of a OneDrive",
  hub: "documents",
  docs: "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
  console: "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade",
  oauth2: signedInAt(microsoft, ["offline_access", "Files.ReadWrite.All", "User.Read"]),
  api: graphApi,
  configuration: [tenantField("common")],
  account: graphAccount,
  sources: graphSources,
});
