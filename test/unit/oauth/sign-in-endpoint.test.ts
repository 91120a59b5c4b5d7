import { describe, expect, it } from "vitest";
import { extraOf } from "../../../functions/connections/instance-body.ts";
import { type Connector, defineConnector } from "../../../functions/connectors/define-connector.ts";
import sharefile from "../../../functions/connectors/vendors/sharefile.ts";
import { endpointOf, endpointValues, filled } from "../../../functions/core/endpoint/endpoint.ts";
import { signInEndpoint } from "../../../functions/core/oauth/sign-in-endpoint.ts";
import { present } from "../../../functions/core/present.ts";
import { connector } from "../../grant/connector.ts";

const noDiscovery = () => {
  throw new Error("these connectors have no metadata document");
};
const check = (
  ...request: Parameters<typeof signInEndpoint> extends [unknown, ...infer Rest] ? Rest : never
) => signInEndpoint(noDiscovery, ...request);

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
  captured: [{ key: "subdomain", format: "hostLabel" }],
});

describe("a customer's own host", () => {
  it("is in the connector's list or in the organization's", async () => {
    const vendorHosts = ["cloud.acme.example", "*.corp.acme.example"];
    for (const server of ["demo.vendor.example", "Cloud.acme.example", "https://a.corp.acme.example"]) {
      expect(await check(own, { server }, { vendorHosts })).toEqual({});
    }
    for (const server of [
      "evil.example",
      "x.cloud.acme.example",
      "corp.acme.example",
      "xcorp.acme.example",
    ]) {
      await expect(check(own, { server }, { vendorHosts }), server).rejects.toThrowError(
        expect.objectContaining({ status: 400, code: "host_not_allowed" }),
      );
    }
    await expect(check(own, { server: "cloud.acme.example" }, {})).rejects.toThrowError(/is on no list/);
  });

  it("must be given, and be a host", async () => {
    await expect(check(own, {}, {})).rejects.toThrowError("configuration.server is missing");
    await expect(check(own, { server: "127.0.0.1" }, {})).rejects.toThrowError(
      "configuration.server is not right",
    );
  });
});

describe("a value that comes with the callback", () => {
  it("is not needed before the callback, and named in the error when it is missing there", async () => {
    expect(await check(told, {}, {})).toEqual({});
    expect(await check(told, {}, { captured: { subdomain: "acme" } })).toEqual({});
    for (const values of [{}, { subdomain: "acme.evil.example/" }]) {
      await expect(check(told, { subdomain: "acme" }, { captured: values })).rejects.toThrowError(
        expect.objectContaining({ status: 400, detail: { field: "providerData.subdomain" } }),
      );
    }
  });
});

describe("the token endpoint of ShareFile, which comes with the callback", () => {
  const tokenUrlFor = async (callback: Record<string, string>, configuration = {}): Promise<string> => {
    const extra = extraOf(sharefile, callback, configuration);
    await check(sharefile, configuration, { captured: extra ?? {} });
    return filled(
      sharefile,
      sharefile.oauth2.tokenUrl,
      endpointValues(sharefile, configuration, present({ extra })),
    );
  };

  it("is the account's own", async () => {
    const callback = { subdomain: "Acme", apicp: "sf-api.eu", appcp: "sharefile.eu", h: "abc" };
    expect(await tokenUrlFor(callback)).toBe("https://acme.sf-api.eu/oauth/token");
    expect(await tokenUrlFor({ code: "c" }, { "sharefile.subdomain": "acme" })).toBe(
      "https://acme.sf-api.com/oauth/token",
    );
    expect(endpointOf(sharefile, { subdomain: "acme", apicp: "sf-api.com" }).origin).toBe(
      "https://acme.sf-api.com",
    );
  });

  it.each([
    { subdomain: "evil.example/", apicp: "sf-api.com" },
    { subdomain: "evil.example#", apicp: "sf-api.com" },
    { subdomain: "evil.example:443/x", apicp: "sf-api.com" },
    { subdomain: "user@evil", apicp: "sf-api.com" },
    { subdomain: "a.b", apicp: "sf-api.com" },
    { subdomain: "evil%2eexample%2f", apicp: "sf-api.com" },
    { subdomain: "", apicp: "sf-api.com" },
    { subdomain: "acme", apicp: "evil.example" },
    { subdomain: "acme", apicp: "sf-api.com.evil.example" },
    { subdomain: "acme", apicp: "evil.example/sf-api.com" },
    { subdomain: "acme", apicp: "SF-API.COM@evil.example" },
  ])("is never at a host that a forged callback names: $subdomain . $apicp", async (callback) => {
    const error = await tokenUrlFor(callback).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      status: 400,
      detail: { field: expect.stringMatching(/^providerData\.(subdomain|apicp)$/) },
    });
  });

  it("is not that of the configuration's value if it could lead elsewhere", async () => {
    await expect(tokenUrlFor({ code: "c" }, { "sharefile.subdomain": "evil.example/" })).rejects.toThrowError(
      expect.objectContaining({ status: 400 }),
    );
  });
});
