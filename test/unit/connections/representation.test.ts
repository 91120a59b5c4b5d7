import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readConfiguration } from "../../../functions/connections/configuration-values.ts";
import { codeOf, extraOf, InstanceBody } from "../../../functions/connections/instance-body.ts";
import { instanceRepresentation } from "../../../functions/connections/instance-representation.ts";
import { connectorByKey } from "../../../functions/connectors/catalogue.ts";
import type { Connector } from "../../../functions/connectors/define-connector.ts";
import { parseBody } from "../../../functions/http/request-body.ts";
import { request } from "./a-request.ts";
import { instance } from "./an-instance.ts";

const user = {
  id: "ann",
  organizationId: "org",
  email: "ann@acme.example",
  firstName: "Ann",
  lastName: "Lee",
  number: 12345,
  status: "active",
  createdAt: 0,
} as const;
const dropbox = connectorByKey("dropbox") as Connector;
const read = (body: unknown) =>
  parseBody(request({}, { body: Buffer.from(JSON.stringify(body)) }), InstanceBody);

describe("an instance on the wire", () => {
  it("has every field of the contract, and no secret", () => {
    const shown = instanceRepresentation(instance, user, "lsi_16.secret");
    expect(shown).toMatchObject({
      id: 42,
      name: "My Dropbox",
      createdDate: "2017-06-06T21:29:33Z",
      token: "lsi_16.secret",
      element: {
        id: 22,
        name: "Dropbox",
        key: "dropbox",
        hub: "documents",
        typeOauth: true,
        authentication: { type: "oauth2" },
        protocolType: "http",
      },
      elementId: 22,
      tags: ["t1"],
      provisionInteractions: [],
      valid: true,
      disabled: false,
      maxCacheSize: 0,
      cacheTimeToLive: 0,
      configuration: {
        "oauth.api.key": "********",
        "oauth.api.secret": "********",
        "oauth.callback.url": "https://app.example/cb",
        "my.own.key": "kept",
        "proxy.password": "********",
      },
      eventsEnabled: false,
      traceLoggingEnabled: false,
      cachingEnabled: false,
      externalAuthentication: "none",
      user: { id: 12345, emailAddress: "ann@acme.example", firstName: "Ann", lastName: "Lee" },
    });
    expect(shown).not.toHaveProperty("providerData");
    expect(shown).not.toHaveProperty("grant");
  });

  it("shows its token only once: later answers mask the token", () => {
    expect(instanceRepresentation(instance, user).token).toBe("********");
  });

  it("shows when it is disabled, and when its grant is dead", () => {
    expect(instanceRepresentation({ ...instance, enabled: false }, user)).toMatchObject({
      valid: true,
      disabled: true,
    });
    expect(instanceRepresentation({ ...instance, deadVersion: 1 }, user)).toMatchObject({
      valid: false,
      disabled: false,
    });
    expect(instanceRepresentation({ ...instance, version: 2, deadVersion: 1 }, user).valid).toBe(true);
  });

  it("contains the app's state, and all four fields of a user who no longer exists", () => {
    const shown = instanceRepresentation({ ...instance, appState: "basket 7" }, undefined);
    expect(shown.state).toBe("basket 7");
    expect(shown.user).toEqual({ id: 0, emailAddress: "", firstName: "", lastName: "" });
  });
});

describe("the body of POST, PUT and PATCH", () => {
  it("may contain what old clients send: null, empty and unknown fields, numbers for texts, HTML in names", () => {
    expect(
      read({
        element: { key: "dropbox", id: 22, name: "Dropbox", parameters: [] },
        providerData: { code: "c", state: null, realmId: 17, nested: {} },
        configuration: { "oauth.api.key": "k", empty: "", flag: true },
        tags: ["<b>one</b>", ""],
        name: "<script>alert(1)</script>My 2nd",
        unknown: 1,
        user: { id: 1 },
      }),
    ).toEqual({
      element: { key: "dropbox", id: "22" },
      providerData: { code: "c", realmId: "17" },
      configuration: { "oauth.api.key": "k", flag: "true" },
      tags: ["one"],
      name: "alert(1)My 2nd",
    });
    expect(read({ name: 7 }).name).toBe("7");
    expect(read(null)).toEqual({});
  });

  it.each([
    [{ tags: "t1" }, "tags"],
    [{ tags: [["t"]] }, "tags.0"],
    [{ configuration: [1] }, "configuration"],
    [{ configuration: { a: { b: 1 } } }, "configuration.a"],
    [{ providerData: "code" }, "providerData"],
    [{ element: 7.5, name: {} }, "name"],
    [{ name: "x".repeat(201) }, "name"],
    [{ acceptOtherAccount: "yes" }, "acceptOtherAccount"],
  ])("answers 400 to %j, naming %s", (body, field) => {
    expect(() => read(body)).toThrowError(expect.objectContaining({ status: 400, detail: { field } }));
  });

  it("may have the authorization code as it is or percent-encoded", () => {
    expect(codeOf({ code: "4/0AbC-d_e" })).toBe("4/0AbC-d_e");
    expect(codeOf({ code: "4%2F0AbC-d_e" })).toBe("4/0AbC-d_e");
    expect(codeOf({})).toBeUndefined();
    fc.assert(
      fc.property(fc.stringMatching(/^[\x20-\x24\x26-\x7e]+$/), (code) => {
        expect(codeOf({ code })).toBe(code);
        expect(codeOf({ code: encodeURIComponent(code) })).toBe(code);
      }),
    );
  });

  it("keeps other parameters of a redirect, but none of the protocol, and only up to a limit", () => {
    expect(extraOf(dropbox, { code: "c", state: "s", realmId: "17", refresh_token: "r" })).toEqual({
      realmId: "17",
    });
    expect(extraOf(dropbox, { code: "c" })).toBeUndefined();
    expect(extraOf(dropbox, { big: "x".repeat(2_001), realmId: "17" })).toEqual({ realmId: "17" });
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`extra${n}`, "x"]));
    expect(Object.keys(extraOf(dropbox, many) ?? {})).toHaveLength(20);
    const realmId = "1".repeat(3_000);
    const declares = { captured: [{ key: "realmId" }, { key: "dc" }] };
    const extra = extraOf(declares, { ...many, realmId });
    expect(extra?.realmId).toBe(realmId);
    expect(Object.keys(extra ?? {})).toHaveLength(20);
    expect(() => extraOf(declares, { realmId: "1".repeat(9_000) })).toThrowError(
      expect.objectContaining({ status: 400, code: "too_large", detail: { field: "providerData.realmId" } }),
    );
  });

  it("takes from the configuration, or by default, what an app that sends the code alone does not pass on", () => {
    const declares = {
      captured: [
        { key: "subdomain", configurationKey: "old.subdomain" },
        { key: "plane", default: "vendor.example" },
        { key: "realmId" },
      ],
    };
    expect(extraOf(declares, { code: "c" }, { "old.subdomain": "acme" })).toEqual({
      subdomain: "acme",
      plane: "vendor.example",
    });
    expect(
      extraOf(declares, { subdomain: "globex", plane: "vendor.eu.example" }, { "old.subdomain": "acme" }),
    ).toEqual({ subdomain: "globex", plane: "vendor.eu.example" });
    expect(extraOf(declares, { code: "c", plane: "" }, {})).toEqual({ plane: "vendor.example" });
  });

  it("loses the spaces and line breaks that a paste adds", () => {
    expect(
      read({
        providerData: { code: "\n c ", state: "s\r\n", realmId: "\t17", access_token: " \n" },
        configuration: {
          "oauth.api.key": " id\n",
          "oauth.api.secret": "secret\r\n",
          "oauth.scope": "a b ",
          note: " mine ",
        },
      }),
    ).toMatchObject({
      providerData: { code: "c", state: "s", realmId: "17" },
      configuration: {
        "oauth.api.key": "id",
        "oauth.api.secret": "secret",
        "oauth.scope": "a b",
        // A value of the app's own stays as it is.
        note: " mine ",
      },
    });
    expect(read({ providerData: { code: " \n" } }).providerData).toEqual({});
  });
});

describe("a configuration that was sent", () => {
  it("is separated into plain, secret, masked and grant values", () => {
    expect(
      readConfiguration(dropbox, {
        "oauth.api.key": "k",
        "oauth.api.secret": "s",
        "proxy.Password": "p",
        "my.key": "m",
        "old.secret": "********",
        "oauth.user.token": "a",
        "oauth.user.refresh_token": "r",
        "oauth.user.refresh_interval": "3600",
        "oauth.user.refresh_time": "1",
      }),
    ).toEqual({
      plain: { "oauth.api.key": "k", "my.key": "m" },
      secret: { "oauth.api.secret": "s", "proxy.Password": "p" },
      unchanged: ["old.secret"],
      grant: { accessToken: "a", refreshToken: "r", expiresInMs: 3_600_000 },
    });
  });

  it.each(["99999999999999", "1e308", "-1", "0", "soon", " "])(
    "treats a lifetime of %j as unknown",
    (interval) => {
      const { grant } = readConfiguration(dropbox, {
        "oauth.user.token": "a",
        "oauth.user.refresh_interval": interval,
      });
      expect(grant).toEqual({ accessToken: "a" });
    },
  );

  it("never shows a value again that came as a secret", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("a.password", "SECRET.b", "oauth.api.secret", "oauth.user.token", "c"),
          fc.string({ minLength: 9 }),
        ),
        (sent) => {
          const { plain, secret } = readConfiguration(dropbox, sent);
          const shown = instanceRepresentation(
            { ...instance, configuration: plain, secretConfigurationKeys: Object.keys(secret) },
            user,
          ).configuration as Record<string, string>;
          for (const [key, value] of Object.entries(sent)) {
            if (key === "oauth.user.token") expect(shown).not.toHaveProperty([key]);
            else expect(shown[key]).toBe(key === "c" ? value : "********");
          }
        },
      ),
    );
  });
});
