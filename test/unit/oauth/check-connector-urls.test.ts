import { describe, expect, it } from "vitest";
import { type Connector, defineConnector } from "../../../functions/connectors/define-connector.ts";
import { checkConnectorUrls } from "../../../functions/core/oauth/check-connector-urls.ts";
import { connector } from "../../grant/connector.ts";

const about = { name: "x", description: "x", required: true };
/** A connector whose vendor's customers run their own servers; the connector knows one of them. */
const own = defineConnector<Connector>({
  ...connector,
  oauth2: {
    ...connector.oauth2,
    authorizationUrl: "https://{server}/authorize",
    tokenUrl: "https://{server}/token",
  },
  configuration: [{ key: "server", ...about, format: { listedHost: ["demo.vendor.example"] } }],
});
/** A connector whose vendor names in the callback where its token endpoint is. */
const told = defineConnector<Connector>({
  ...connector,
  oauth2: { ...connector.oauth2, tokenUrl: "https://{subdomain}.vendor.example/token" },
  told: [{ key: "subdomain", format: "hostLabel" }],
});

describe("a customer's own host", () => {
  it("is in the connector's list or in the organization's", () => {
    const vendorHosts = ["cloud.acme.example", "*.corp.acme.example"];
    for (const server of ["demo.vendor.example", "Cloud.acme.example", "https://a.corp.acme.example"]) {
      expect(() => checkConnectorUrls(own, { server }, { vendorHosts })).not.toThrow();
    }
    for (const server of [
      "evil.example",
      "x.cloud.acme.example",
      "corp.acme.example",
      "xcorp.acme.example",
    ]) {
      expect(() => checkConnectorUrls(own, { server }, { vendorHosts }), server).toThrowError(
        expect.objectContaining({ status: 400, code: "host_not_allowed" }),
      );
    }
    expect(() => checkConnectorUrls(own, { server: "cloud.acme.example" }, {})).toThrowError(/is on no list/);
  });

  it("must be given, and be a host", () => {
    expect(() => checkConnectorUrls(own, {}, {})).toThrowError("configuration.server is missing");
    expect(() => checkConnectorUrls(own, { server: "127.0.0.1" }, {})).toThrowError(
      "configuration.server is not right",
    );
  });
});

describe("a value that comes with the callback", () => {
  it("is not needed before the callback, and named in the error when it is missing there", () => {
    expect(() => checkConnectorUrls(told, {}, {})).not.toThrow();
    expect(() => checkConnectorUrls(told, {}, { told: { subdomain: "acme" } })).not.toThrow();
    for (const values of [{}, { subdomain: "acme.evil.example/" }]) {
      expect(() => checkConnectorUrls(told, { subdomain: "acme" }, { told: values })).toThrowError(
        expect.objectContaining({ status: 400, detail: { field: "providerData.subdomain" } }),
      );
    }
  });
});
