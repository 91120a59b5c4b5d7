import { expect, it } from "vitest";
import { connectorByKey, findConnector } from "../../../functions/connectors/catalogue.ts";
import { endpointValues, filled } from "../../../functions/core/endpoint/endpoint.ts";

function tokenUrl(key: string, configuration: Readonly<Record<string, string>>): string {
  const connector = connectorByKey(key);
  if (connector === undefined) throw new Error(`there is no connector ${key}`);
  return filled(connector, connector.oauth2.tokenUrl, endpointValues(connector, configuration, {}));
}

it.each([
  ["onedrivev2", {}, "common"],
  ["onedrivebusiness", {}, "organizations"],
  ["sharepoint", {}, "organizations"],
  ["onedrivebusiness", { tenant: "contoso.onmicrosoft.com" }, "contoso.onmicrosoft.com"],
  ["onedrivev2", { tenant: "a/b?c" }, "a%2Fb%3Fc"],
])("%s with the configuration %j signs in at the tenant %s", (key, configuration, tenant) => {
  expect(tokenUrl(key, configuration)).toBe(`https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`);
});

it("onedrive is another key of onedrivev2", async () => {
  expect((await findConnector("onedrive"))?.key).toBe("onedrivev2");
  expect(await findConnector("onedrivev1")).toBeUndefined();
});
