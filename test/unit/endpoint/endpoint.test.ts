import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CapturedValue,
  type ConfigurationField,
  type Connector,
  defineConnector,
  type ValueFormat,
} from "../../../functions/connectors/define-connector.ts";
import {
  boundValues,
  endpointOf,
  endpointValues,
  filled,
} from "../../../functions/core/endpoint/endpoint.ts";
import { connector } from "../../grant/connector.ts";

const field = (key: string, format: ValueFormat, more: Partial<ConfigurationField> = {}) => ({
  key,
  name: key,
  description: key,
  required: true,
  format,
  ...more,
});

/** A connector whose API's URL contains values. */
function at(
  api: Partial<Connector["api"]>,
  values: { configuration?: readonly ConfigurationField[]; captured?: readonly CapturedValue[] } = {},
): Connector {
  return defineConnector<Connector>({ ...connector, api: { ...connector.api, ...api }, ...values });
}

const withOne = (format: ValueFormat, template = "https://{place}.vendor.example"): Connector =>
  at({ origin: template }, { configuration: [field("place", format)] });
const originWith = (of: Connector, place: string): string => endpointOf(of, { place }).origin;

describe("a value in a connector's URL", () => {
  it("that is a host label cannot lead to another host", () => {
    const labelled = withOne("hostLabel");
    expect(originWith(labelled, "Acme-1")).toBe("https://acme-1.vendor.example");
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.webUrl()), (place) => {
        let origin: string;
        try {
          origin = originWith(labelled, place);
        } catch (error) {
          expect(error).toMatchObject({ status: 400, detail: { field: "configuration.place" } });
          return;
        }
        expect(new URL(origin).host).toBe(`${place.toLowerCase()}.vendor.example`);
      }),
    );
    for (const evil of ["evil.com/", "a.b", "a@b", "-a", "a-", "a%2e", "x".repeat(64), "é", "a\n", " a"]) {
      expect(() => originWith(labelled, evil)).toThrowError(/configuration.place is not right/);
    }
  });

  it("that is a host must be below a declared suffix; it may be a host or an https URL", () => {
    const below = withOne({ hostBelow: ["*.my.salesforce.com", "login.salesforce.com"] }, "https://{place}");
    expect(originWith(below, "https://Acme.my.salesforce.com")).toBe("https://acme.my.salesforce.com");
    expect(originWith(below, "acme--dev.sandbox.my.salesforce.com/")).toBe(
      "https://acme--dev.sandbox.my.salesforce.com",
    );
    expect(originWith(below, "login.salesforce.com")).toBe("https://login.salesforce.com");
    for (const evil of [
      "my.salesforce.com",
      "evilmy.salesforce.com",
      "acme.my.salesforce.com.evil.example",
      "evil.example/.my.salesforce.com",
      "evil.example#.my.salesforce.com",
      "evil.example?.my.salesforce.com",
      "user@acme.my.salesforce.com",
      "acme.my.salesforce.com:8443",
      "http://acme.my.salesforce.com",
      "https://https://acme.my.salesforce.com",
      "acme.my.salesforce.com/path",
      "..my.salesforce.com",
      "-.my.salesforce.com",
      "a_b.my.salesforce.com",
      "xlogin.salesforce.com",
    ]) {
      expect(() => originWith(below, evil), evil).toThrowError(/is not right: a host name like/);
    }
  });

  it("that is a listed host must be a host name, not an address", () => {
    const listed = withOne({ listedHost: [] }, "https://{place}");
    expect(originWith(listed, "Cloud.Acme.example")).toBe("https://cloud.acme.example");
    for (const evil of ["localhost", "127.0.0.1", "[::1]", "0x7f.1", "2130706433", "a.example:80", "a b.c"]) {
      expect(() => originWith(listed, evil), evil).toThrowError(/is not right/);
    }
  });

  it("that is a region must be in the list", () => {
    const region = withOne({ oneOf: ["com", "eu"] }, "https://accounts.zoho.{place}");
    expect(originWith(region, "eu")).toBe("https://accounts.zoho.eu");
    expect(() => originWith(region, "com.evil.example")).toThrowError(
      "configuration.place is not right: one of com, eu",
    );
  });

  it("that is a path segment stays one segment", () => {
    const revocation = { ...connector.oauth2.revocation, url: "https://vendor.example/{place}/revoke" };
    const segment = defineConnector<Connector>({
      ...connector,
      oauth2: { ...connector.oauth2, revocation },
      configuration: [field("place", "pathSegment")],
    });
    const { url } = revocation;
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 50, unit: "grapheme" }), (place) => {
        fc.pre(place !== "." && place !== "..");
        const { pathname, host } = new URL(filled(segment, url, { place }));
        expect(host).toBe("vendor.example");
        expect(pathname.split("/").map(decodeURIComponent)).toEqual(["", place, "revoke"]);
      }),
    );
    for (const evil of [".", "..", "x".repeat(501)]) {
      expect(() => filled(segment, url, { place: evil })).toThrowError(/is not right/);
    }
  });

  it("that is a header's value cannot end the header", () => {
    const header = at({ headers: { "X-Member": "{place}" } }, { configuration: [field("place", "text")] });
    expect(endpointOf(header, { place: "dbmid:1" }).headers).toEqual([["X-Member", "dbmid:1"]]);
    expect(() => endpointOf(header, { place: "a\r\nHost: evil" })).toThrowError(/is not right/);
  });

  it("is named in the error when it is missing", () => {
    expect(() => endpointOf(withOne("hostLabel"), {})).toThrowError("configuration.place is missing");
    expect(() => endpointOf(withOne("hostLabel"), { place: "" })).toThrowError(
      "configuration.place is missing",
    );
  });

  it("that the vendor should have sent is the vendor's error", () => {
    const told = at(
      { origin: "https://{instance_url}" },
      { captured: [{ key: "instance_url", format: { hostBelow: ["*.vendor.example"] } }] },
    );
    expect(endpointOf(told, { instance_url: "https://eu1.vendor.example" }).origin).toBe(
      "https://eu1.vendor.example",
    );
    for (const values of [{}, { instance_url: "https://evil.example" }]) {
      expect(() => endpointOf(told, values)).toThrowError(
        expect.objectContaining({ status: 502, code: "vendor_endpoint_unknown" }),
      );
    }
  });

  it("must be declared with a format, or the connector does not load", () => {
    expect(() => at({ origin: "https://{place}.vendor.example" })).toThrowError(/\{place\}/);
    expect(() =>
      at({ origin: "https://{place}.vendor.example" }, { captured: [{ key: "place" }] }),
    ).toThrowError(/not a declared value with a format/);
    expect(() => at({ headers: { "X-Id": "{client_id}" } })).not.toThrow();
  });
});

describe("the values of an instance", () => {
  const configured = at(
    { origin: "https://{subdomain}.vendor.example", headers: { Member: "{member}", Client: "{client_id}" } },
    {
      configuration: [
        field("subdomain", "hostLabel"),
        field("member", "text", { default: "all" }),
        field("other", "hostLabel", { default: "x" }),
      ],
      captured: [{ key: "realmId" }],
    },
  );

  it("that decide the host are those of the grant, whatever the configuration says later", () => {
    const won = boundValues(configured, { subdomain: "acme", member: "ann", other: "o" }, "client");
    expect(won).toEqual({ subdomain: "acme", other: "o", client_id: "client" });
    const later = { subdomain: "evil", member: "bob" };
    const values = endpointValues(configured, later, { endpoint: won ?? {} });
    expect(values).toEqual({ subdomain: "acme", member: "bob", other: "o", client_id: "client" });
    expect(endpointOf(configured, values)).toMatchObject({
      origin: "https://acme.vendor.example",
      headers: [
        ["Member", "bob"],
        ["Client", "client"],
      ],
      allowedHosts: ["acme.vendor.example"],
    });
  });

  it("come from the configuration, or the default, when the grant has none", () => {
    const values = endpointValues(configured, { subdomain: "acme", member: "", unknown: "u" }, {});
    expect(values).toEqual({ subdomain: "acme", member: "all", other: "x" });
  });

  it("that the vendor declares come only from the vendor, and the configuration cannot replace them", () => {
    const told = endpointValues(configured, { realmId: "forged" }, { extra: { realmId: "17", member: "m" } });
    expect(told).toMatchObject({ realmId: "17", member: "all" });
    expect(endpointValues(configured, { realmId: "forged" }, {})).not.toHaveProperty("realmId");
  });

  it("are empty for a connector with a fixed URL: nothing is stored or read", () => {
    expect(endpointValues(connector, { subdomain: "x" }, { extra: { a: "b" } })).toEqual({});
    expect(boundValues(connector, { subdomain: "x" }, "client")).toBeUndefined();
    expect(endpointOf(connector, {})).toBe(endpointOf(connector, { subdomain: "x" }));
  });
});
