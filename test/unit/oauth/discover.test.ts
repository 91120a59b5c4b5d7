import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { endpointValues } from "../../../functions/core/endpoint/endpoint.ts";
import { discovery } from "../../../functions/core/oauth/discover.ts";
import { type VendorHttp, VendorUnreachable } from "../../../functions/core/vendor-http.ts";
import { discovered } from "../../vendor-kinds/connectors.ts";

const host = "cloud.discovered.vendor.example";
const issuer = `https://${host}`;
const document = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
};
type Answers = Readonly<Record<string, { status?: number; body?: unknown } | Error>>;

/** A server of these answers by URL; 404 elsewhere. */
function serving(answers: Answers) {
  const asked: string[] = [];
  const http: VendorHttp = {
    async send({ url, allowedHosts }) {
      expect(allowedHosts).toEqual([new URL(url).host]);
      asked.push(url);
      const answer = answers[url] ?? { status: 404 };
      if (answer instanceof Error) throw answer;
      const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {});
      const body = Readable.from([Buffer.from(text)]);
      return { status: answer.status ?? 200, headers: {}, rawHeaders: [], body, url };
    },
  };
  return { http, asked };
}

const oauthPath = `${issuer}/.well-known/oauth-authorization-server`;
const openIdPath = `${issuer}/.well-known/openid-configuration`;
const find = (answers: Answers, vendorHosts: readonly string[] = [], connector = discovered) =>
  discovery(serving(answers).http)(connector, endpointValues(connector, { server: host }, {}), vendorHosts);
const saying = (more: object) => ({ [oauthPath]: { body: { ...document, ...more } } });
const unusable = (message: RegExp) =>
  expect.objectContaining({
    status: 502,
    code: "vendor_metadata_unusable",
    message: expect.stringMatching(message),
  });

describe("a metadata document", () => {
  it("is looked for where RFC 8414 puts it, then where OpenID Connect does", async () => {
    const { http, asked } = serving({ [openIdPath]: { body: document } });
    const { urls } = await discovery(http)(discovered, { server: host }, []);
    expect(asked).toEqual([oauthPath, openIdPath]);
    expect(urls).toEqual({
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    });
  });

  it("of an issuer with a path has the well-known path in front of it, or behind it", async () => {
    const withPath = {
      ...discovered,
      oauth2: { ...discovered.oauth2, discovery: { issuer: "https://{server}/realms/one" } },
    };
    const { http, asked } = serving({});
    await expect(discovery(http)(withPath, { server: host }, [])).rejects.toEqual(unusable(/no document/));
    expect(asked).toEqual([
      `${oauthPath}/realms/one`,
      `${issuer}/realms/one/.well-known/openid-configuration`,
    ]);
  });

  it("counts for ten minutes, for all organizations; a failure never does", async () => {
    let now = 1;
    const answers: Record<string, { status?: number; body?: unknown }> = { [oauthPath]: { status: 500 } };
    const { http, asked } = serving(answers);
    const discover = discovery(http, { now: () => now });
    const found = (vendorHosts: readonly string[]) => discover(discovered, { server: host }, vendorHosts);
    await expect(found([])).rejects.toMatchObject({ status: 503, code: "vendor_unreachable" });
    answers[oauthPath] = { body: { ...document, token_endpoint: "https://id.acme.example/token" } };
    await expect(found([])).rejects.toEqual(unusable(/id.acme.example/));
    expect(await found(["id.acme.example"])).toMatchObject({ issuer });
    // What one organization's list allows, another's does not.
    await expect(found([])).rejects.toEqual(unusable(/id.acme.example/));
    const before = asked.length;
    now += 600_000;
    await found(["*.acme.example"]);
    expect(asked.length).toBe(before);
    now += 1;
    await found(["*.acme.example"]);
    expect(asked.length).toBe(before + 1);
  });

  it.each(["authorization_endpoint", "token_endpoint", "revocation_endpoint"])(
    "may name its own host, the connector's or the organization's as its %s, and no other",
    async (name) => {
      const urls = [
        `${issuer}/x?tenant=1`,
        "https://login.discovered.vendor.example/x",
        "https://id.acme.example/x",
      ];
      for (const url of urls) {
        const found = await find(saying({ [name]: url }), ["id.acme.example"]);
        expect(found.urls).toMatchObject({ [name]: url });
      }
      for (const url of [
        "https://evil.example/x",
        "https://id.acme.example.evil.example/x",
        `https://${host}:8443/x`,
        "https://169.254.169.254/x",
        "https://xlogin.discovered.vendor.example/x",
      ]) {
        await expect(find(saying({ [name]: url }), ["id.acme.example"]), url).rejects.toEqual(
          unusable(/on a list/),
        );
      }
      for (const url of [
        `http://${host}/x`,
        `https://user:pass@${host}/x`,
        `https://${host}/x#y`,
        "/x",
        17,
        {},
        `${issuer}/${"x".repeat(1_000)}`,
        "javascript:alert(1)",
      ]) {
        await expect(find(saying({ [name]: url })), String(url)).rejects.toEqual(unusable(/https URL/));
      }
    },
  );

  it("must name its issuer; a slash at the end makes no other", async () => {
    expect(await find(saying({ issuer: `${issuer}/` }))).toMatchObject({ issuer: `${issuer}/` });
    for (const wrong of ["https://evil.example", undefined, 1, `${issuer}/realms/one`]) {
      await expect(find(saying({ issuer: wrong }))).rejects.toEqual(unusable(/another issuer/));
    }
  });

  it("must name where to authorize and where to get tokens", async () => {
    for (const name of ["authorization_endpoint", "token_endpoint"])
      await expect(find(saying({ [name]: undefined }))).rejects.toEqual(
        unusable(new RegExp(`has no ${name}`)),
      );
  });

  it("that is no JSON object is none", async () => {
    for (const body of ["<html></html>", "[]", "17", "null", ""])
      await expect(find({ [oauthPath]: { body } }), body).rejects.toEqual(unusable(/./));
  });

  it("that does not come now is asked for again by the same request", async () => {
    const lost = new VendorUnreachable("no connection", { sent: false });
    await expect(find({ [oauthPath]: lost })).rejects.toMatchObject({
      status: 503,
      code: "vendor_unreachable",
    });
    for (const status of [429, 500, 503])
      await expect(find({ [oauthPath]: { status } })).rejects.toMatchObject({ status: 503 });
  });
});
