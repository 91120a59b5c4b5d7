import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { type Answer, App, type CreatedInstance } from "./app.ts";
import { appOfAnotherOrganization, appOfAnotherUser, scanTable } from "./tenants.ts";

interface Shown extends CreatedInstance {
  readonly name: string;
  readonly tags: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly valid: boolean;
  readonly disabled: boolean;
  readonly element: { readonly key: string };
}

interface Status {
  readonly valid: boolean;
  readonly expiresAt: string;
  readonly lastRefreshedAt: string | null;
  readonly lastError: { readonly code: string } | null;
}

interface Problem {
  readonly message: string;
  readonly code: string;
  readonly detail?: { readonly field?: string; readonly instanceId?: number; readonly vendor?: unknown };
}

const MASK = "********";
let platform: RunningPlatform;
let app: App;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());
beforeEach(() => {
  for (const vendor of Object.values(platform.vendors)) {
    vendor.clearFaults();
    vendor.clearRequests();
  }
});

const vendorOf = (connector: string) => {
  const vendor = platform.vendors[connector];
  if (vendor === undefined) throw new Error(`no stand-in for ${connector}`);
  return vendor;
};
const ping = (token: string) => app.hub(token, "GET", "/hubs/documents/ping");

describe.each(["dropbox", "googledrive"])("an instance of %s", (connector) => {
  it("is created from a code, stored before the answer, and shown as the contract says", async () => {
    const { oauthUrl } = await app.authorizationUrl(connector);
    const back = await app.consent(connector, oauthUrl);
    const { status, body, headers } = await app.platform<Shown>("POST", "/instances", {
      element: { key: connector },
      providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
      configuration: { "my.key": "mine", "my.password": "hidden" },
      tags: ["t1", "<i>t2</i>"],
      name: "<b>My</b> account",
    });
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toMatchObject({
      id: expect.any(Number),
      name: "My account",
      token: expect.stringMatching(/^lsi_[0-9a-z]+\.[\w-]{43}$/),
      createdDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      element: { key: connector, hub: "documents", typeOauth: true },
      tags: ["t1", "t2"],
      valid: true,
      disabled: false,
      configuration: {
        "my.key": "mine",
        "my.password": MASK,
        "oauth.callback.url": app.callbackUrl(connector),
      },
      user: { id: expect.any(Number), emailAddress: "demo@example.com", firstName: "Demo", lastName: "User" },
    });
    expect(body.id).toBeLessThan(2 ** 53);
    expect(body).not.toHaveProperty("providerData");
    expect((await ping(body.token)).status).toBe(200);

    const kept = await scanTable(platform, "InstancesTable");
    expect(kept).not.toContain("hidden");
    expect(kept).not.toContain(body.token.split(".")[1]);

    const again = await app.platform<Shown>("GET", `/instances/${body.id}`);
    expect(again.body).toEqual({ ...body, token: MASK, updatedDate: again.body.updatedDate });
  });

  it("is created below /elements/{key}/instances too, with its name as a tag and a percent-encoded code", async () => {
    const { oauthUrl } = await app.authorizationUrl(connector);
    const back = await app.consent(connector, oauthUrl);
    const made = await app.platform<Shown>("POST", `/elements/${connector}/instances`, {
      providerData: {
        code: encodeURIComponent(back.searchParams.get("code") ?? ""),
        state: back.searchParams.get("state"),
      },
      name: "Second",
    });
    expect(made.status).toBe(200);
    expect(made.body.tags).toEqual(["Second"]);
    const below = `/elements/${connector}/instances/${made.body.id}`;
    expect((await app.platform<Shown>("GET", below)).body.name).toBe("Second");
    const elsewhere = connector === "dropbox" ? "googledrive" : "dropbox";
    expect((await app.platform("GET", `/elements/${elsewhere}/instances/${made.body.id}`)).status).toBe(404);
  });

  it("is created with the app's own client and state, as old apps do", async () => {
    const { clientId, clientSecret } = app.settings.connectors[connector] ?? {};
    const callbackUrl = app.callbackUrl(connector);
    const query = new URLSearchParams({ apiKey: clientId ?? "", apiSecret: clientSecret ?? "", callbackUrl });
    const url = await app.call<{ oauthUrl: string }>("GET", `/elements/${connector}/oauth/url?${query}`);
    const back = await app.consent(connector, url.body.oauthUrl);
    expect(back.searchParams.get("state")).toBe(connector);
    const made = await app.platform<Shown>("POST", "/instances", {
      element: { key: connector },
      providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
      configuration: {
        "oauth.api.key": clientId,
        "oauth.api.secret": clientSecret,
        "oauth.callback.url": callbackUrl,
      },
      name: "Own client",
    });
    expect(made.status).toBe(200);
    expect(made.body.configuration).toMatchObject({ "oauth.api.key": MASK, "oauth.api.secret": MASK });
    expect((await ping(made.body.token)).status).toBe(200);
    const refreshed = await app.platform<Status>("POST", `/instances/${made.body.id}/refresh`);
    expect(refreshed.status).toBe(200);
    expect(refreshed.body.lastRefreshedAt).not.toBeNull();
  });

  it.each([
    ["PutItem", 0],
    ["PutItem", 1],
  ])(
    "is created when the same request is repeated after the table failed before the code was sent (%s number %i)",
    async (action, skip) => {
      const { oauthUrl } = await app.authorizationUrl(connector);
      const back = await app.consent(connector, oauthUrl);
      const providerData = { code: back.searchParams.get("code"), state: back.searchParams.get("state") };
      const body = { element: { key: connector }, providerData, name: "Again" };
      const fault = { code: "ProvisionedThroughputExceededException", skip, count: 12 };
      platform.frontDoor.fail({ service: "dynamodb", action, principal: "Connections", ...fault });
      const failed = await app.platform<Problem>("POST", "/instances", body);
      expect(failed.status).toBeGreaterThanOrEqual(500);
      platform.frontDoor.clearFaults();
      expect((await app.platform<Shown>("POST", "/instances", body)).status).toBe(200);
      expect(vendorOf(connector).tokenRequests("authorization_code")).toBe(1);
    },
  );

  it("is created even when the answer to the write that takes the state is lost", async () => {
    const { oauthUrl } = await app.authorizationUrl(connector);
    const back = await app.consent(connector, oauthUrl);
    const providerData = { code: back.searchParams.get("code"), state: back.searchParams.get("state") };
    const fault = { service: "dynamodb", action: "PutItem", principal: "Connections", count: 1 };
    platform.frontDoor.fail({ ...fault, reset: "after" });
    const body = { element: { key: connector }, providerData, name: "Once" };
    expect((await app.platform<Shown>("POST", "/instances", body)).status).toBe(200);
  });

  it("is named to the caller who sends the same code again", async () => {
    const { oauthUrl } = await app.authorizationUrl(connector);
    const back = await app.consent(connector, oauthUrl);
    const body = {
      element: { key: connector },
      providerData: { code: back.searchParams.get("code"), state: back.searchParams.get("state") },
      name: "Once",
    };
    const first = await app.platform<Shown>("POST", "/instances", body);
    const second = await app.platform<Problem>("POST", "/instances", body);
    expect(second.status).toBe(400);
    expect(second.body).toMatchObject({ code: "code_used", detail: { instanceId: first.body.id } });
    expect(vendorOf(connector).tokenRequests("authorization_code")).toBe(1);
    const rotated = await app.platform<Shown>("POST", `/instances/${first.body.id}/token`);
    expect((await ping(rotated.body.token)).status).toBe(200);
    expect((await ping(first.body.token)).status).toBe(401);
    const stranger = await (await appOfAnotherUser(platform)).platform<Problem>("POST", "/instances", {
      ...body,
      providerData: { code: body.providerData.code },
    });
    expect(stranger.status).toBe(400);
    expect(stranger.body.detail).not.toHaveProperty("instanceId");
  });

  it("is deleted: the token stops working at once, the vendor's grant ends, and nothing is left in the table", async () => {
    vendorOf(connector).addAccount({
      login: `${connector}-del@example.com`,
      name: "Del",
      email: "d@example.com",
    });
    const login = `${connector}-del@example.com`;
    const instance = await app.connect(connector, { login });
    expect(vendorOf(connector).living(login).grants).toBe(1);
    expect((await app.platform("DELETE", `/instances/${instance.id}`)).status).toBe(200);
    expect((await ping(instance.token)).status).toBe(401);
    expect((await app.platform("GET", `/instances/${instance.id}`)).status).toBe(404);
    expect((await app.platform("DELETE", `/instances/${instance.id}`)).status).toBe(404);
    await platform.settled();
    // Google's revocation waits a few seconds until the index of siblings is up to date, and then for the sweep.
    platform.clock.advance(60_000);
    await platform.sweep();
    await platform.settled();
    expect(vendorOf(connector).living(login)).toEqual({ grants: 0, accessTokens: 0 });
    expect(await scanTable(platform, "InstancesTable")).not.toContain(`"instanceId":${instance.id},`);
  });

  it("keeps id and token at a new sign-in", async () => {
    const instance = await app.connect(connector);
    vendorOf(connector).revokeGrants();
    await app.platform("POST", `/instances/${instance.id}/refresh`);
    const dead = await app.hub<Problem>(instance.token, "GET", "/hubs/documents/ping");
    expect(dead.status).toBe(401);
    expect(dead.body.code).toBe("needs_reauthentication");
    const shown = await app.platform<Shown>("GET", `/instances/${instance.id}`);
    expect(shown.body.valid).toBe(false);

    const { oauthUrl } = await app.authorizationUrl(connector);
    const back = await app.consent(connector, oauthUrl);
    const again = await app.platform<Shown>("PUT", `/instances/${instance.id}`, {
      ...shown.body,
      providerData: Object.fromEntries(back.searchParams),
    });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ id: instance.id, valid: true, token: MASK });
    expect((await ping(instance.token)).status).toBe(200);
  });

  it("does not accept another account at a new sign-in, unless the caller says so", async () => {
    const instance = await app.connect(connector);
    await platform.settled();
    const signIn = async (more: Record<string, unknown>) => {
      const { oauthUrl } = await app.authorizationUrl(connector);
      const back = await app.consent(connector, oauthUrl, { login: "grace@example.com" });
      const body = { providerData: Object.fromEntries(back.searchParams), ...more };
      const send = () => app.platform<Problem>("PATCH", `/instances/${instance.id}`, body);
      return [await send(), await send()] as const;
    };
    const [refused, again] = await signIn({});
    expect(refused.status).toBe(409);
    expect(refused.body.code).toBe("another_account");
    expect(again.status).toBe(400);
    expect(again.body).toMatchObject({ code: "code_used", detail: { field: "providerData.code" } });
    expect(again.body.detail).not.toHaveProperty("instanceId");
    expect((await ping(instance.token)).status).toBe(200);
    const [accepted, repeated] = await signIn({ acceptOtherAccount: true });
    expect(accepted.status).toBe(200);
    expect(repeated.body).toMatchObject({ code: "code_used", detail: { instanceId: instance.id } });
  });

  it("is imported with only a refresh token, which is tested at once", async () => {
    const { clientId, clientSecret } = app.settings.connectors[connector] ?? {};
    const { oauthUrl } = await app.authorizationUrl(connector, { pkce: false });
    const back = await app.consent(connector, oauthUrl);
    const token = await vendorToken(connector, back.searchParams.get("code") ?? "");
    vendorOf(connector).clearRequests();
    const made = await app.platform<Shown>("POST", "/instances", {
      element: { key: connector },
      externalAuthentication: "initial",
      configuration: {
        "oauth.api.key": clientId,
        "oauth.api.secret": clientSecret,
        "oauth.user.refresh_token": token.refresh_token,
      },
      name: "Imported",
    });
    expect(made.status).toBe(200);
    expect(JSON.stringify(made.body)).not.toContain(token.refresh_token);
    expect(vendorOf(connector).tokenRequests("refresh_token")).toBe(1);
    expect((await ping(made.body.token)).status).toBe(200);
    expect(made.body.externalAuthentication).toBe("initial");
    const shown = await app.platform<Shown>("GET", `/instances/${made.body.id}`);
    expect(shown.body.externalAuthentication).toBe("initial");
    const { body: status } = await app.platform<{ lastRefreshedAt: string }>(
      "GET",
      `/instances/${made.body.id}/status`,
    );
    const sinceRefresh = Date.parse(shown.body.createdDate as string) - Date.parse(status.lastRefreshedAt);
    expect(Math.abs(sinceRefresh)).toBeLessThan(10_000);

    const before = (await list()).length;
    const wrong = await app.platform<Problem>("POST", "/instances", {
      element: { key: connector },
      configuration: { "oauth.user.refresh_token": "made-up" },
      name: "Not proved",
    });
    expect(wrong.status).toBe(400);
    expect(wrong.body.detail?.field).toBe("configuration.oauth.user.refresh_token");
    expect(await list()).toHaveLength(before);
  });
});

/** Exchanges the code at the stand-in without Linkspan, as an app does that holds the grant itself. */
async function vendorToken(connector: string, code: string): Promise<{ refresh_token: string }> {
  const { clientId = "", clientSecret = "" } = app.settings.connectors[connector] ?? {};
  const path = connector === "dropbox" ? "/oauth2/token" : "/token";
  const response = await fetch(vendorOf(connector).origin + path, {
    method: "POST",
    headers: { Host: connector === "dropbox" ? "api.dropboxapi.com" : "oauth2.googleapis.com" },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: app.callbackUrl(connector),
      client_id: clientId,
      client_secret: clientSecret,
    }),
  });
  if (!response.ok) throw new Error(`the stand-in answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as { refresh_token: string };
}

const list = async (query = "", of = app) => (await of.platform<Shown[]>("GET", `/instances${query}`)).body;

describe("changing an instance", () => {
  let instance: CreatedInstance;
  const path = () => `/instances/${instance.id}`;
  beforeAll(async () => {
    instance = await app.connect("dropbox", { name: "Before", tags: ["a"] });
  });

  it("PATCH changes only the given values", async () => {
    const changed = await app.platform<Shown>("PATCH", path(), {
      name: "After",
      tags: ["b", "c"],
      configuration: { "my.key": "1", "my.secret": "hidden" },
    });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      id: instance.id,
      token: MASK,
      name: "After",
      tags: ["b", "c"],
      configuration: { "my.key": "1", "my.secret": MASK, "oauth.callback.url": app.callbackUrl("dropbox") },
    });
    expect((await app.platform<Shown>("GET", path())).body.configuration).toMatchObject({ "my.key": "1" });
  });

  it("PUT accepts the whole instance as it was answered: a masked value keeps the stored one, a missing value is removed", async () => {
    const { body } = await app.platform<Shown>("GET", path());
    const { "my.key": _, ...configuration } = body.configuration;
    const put = await app.platform<Shown>("PUT", path(), { ...body, name: "Whole", configuration });
    expect(put.status).toBe(200);
    expect(put.body.name).toBe("Whole");
    expect(put.body.configuration).toEqual({
      "my.secret": MASK,
      "oauth.callback.url": app.callbackUrl("dropbox"),
    });
    expect((await ping(instance.token)).status).toBe(200);
  });

  it("PATCHes at the same time keep each other's values, secrets too", async () => {
    const other = await app.connect("dropbox");
    const sent: Record<string, string> = { "my.secret": "hidden" };
    for (let n = 0; n < 7; n++) sent[`my.key${n}`] = String(n);
    const answers = await Promise.all([
      ...Object.entries(sent).map(([key, value]) =>
        app.platform<Shown>("PATCH", `/instances/${other.id}`, { configuration: { [key]: value } }),
      ),
      app.platform<Shown>("PATCH", `/instances/${other.id}`, { name: "Together" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const { body } = await app.platform<Shown>("GET", `/instances/${other.id}`);
    expect(body.name).toBe("Together");
    expect(body.configuration).toMatchObject({ ...sent, "my.secret": MASK });
  });

  it("single configuration values are read and changed by number or key", async () => {
    interface Entry {
      readonly id: number;
      readonly key: string;
      readonly propertyValue: string;
    }
    const { body } = await app.platform<Entry[]>("GET", `${path()}/configuration`);
    expect(body.find(({ key }) => key === "my.secret")?.propertyValue).toBe(MASK);
    const callback = body.find(({ key }) => key === "oauth.callback.url");
    const byId = await app.platform<Entry>("GET", `${path()}/configuration/${callback?.id}`);
    expect(byId.body).toEqual(callback);
    await app.platform("PATCH", path(), { configuration: { "my.other": "1" } });
    const changed = await app.platform<Entry>("PATCH", `${path()}/configuration/my.other`, {
      propertyValue: 2,
    });
    expect(changed.body.propertyValue).toBe("2");
    expect((await app.platform("GET", `${path()}/configuration/nothing`)).status).toBe(404);
    expect((await app.platform("PATCH", `${path()}/configuration/my.other`, {})).status).toBe(400);
    const propertyValue = "x".repeat(8_001);
    const long = await app.platform("PATCH", `${path()}/configuration/my.other`, { propertyValue });
    expect(long.status).toBe(400);
  });

  it("a secret under another name is sealed, and masked in every answer", async () => {
    const secrets = {
      access_token: "in-clear-1",
      apiToken: "in-clear-2",
      private_key: "in-clear-3",
      passphrase: "in-clear-4",
      Passwd: "in-clear-5",
      "OAUTH.USER.REFRESH_TOKEN": "in-clear-6",
    };
    const others = { public_key: "shown-1", key_id: "shown-2", token_endpoint: "shown-3" };
    const changed = await app.platform<Shown>("PATCH", path(), { configuration: { ...secrets, ...others } });
    expect(changed.status).toBe(200);
    const shown = [
      changed,
      await app.platform("GET", path()),
      await app.platform("GET", `${path()}/configuration`),
      await app.platform("GET", "/instances"),
      await app.platform("GET", `${path()}/configuration/access_token`),
    ];
    for (const { body } of shown) expect(JSON.stringify(body)).not.toContain("in-clear");
    for (const key of Object.keys(secrets)) expect(changed.body.configuration[key]).toBe(MASK);
    expect(changed.body.configuration).toMatchObject(others);
    expect(await scanTable(platform, "InstancesTable")).not.toContain("in-clear");

    const session = await app.platform("POST", "/connect/sessions", {
      element: { key: "dropbox" },
      returnUrl: `${platform.url}/`,
      endUser: "u1",
      configuration: secrets,
    });
    expect(session.status).toBe(200);
    expect(await scanTable(platform, "TransientsTable")).not.toContain("in-clear");
  });

  it("another OAuth client is refused without a new sign-in", async () => {
    const answer = await app.platform<Problem>("PATCH", path(), {
      configuration: { "oauth.api.key": "another" },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.detail?.field).toBe("configuration.oauth.api.key");
  });

  it("works with the instance's token without an id too", async () => {
    const call = (method: string, at: string, json?: unknown) =>
      app.call<Shown>(method, at, {
        authorization: app.hubAuthorization(instance.token),
        ...(json === undefined ? {} : { json }),
      });
    expect((await call("GET", "/instances")).body.id).toBe(instance.id);
    expect((await call("PATCH", "/instances", { name: "By token" })).body.name).toBe("By token");
    expect((await call("PUT", "/instances", { name: "By token again" })).body.name).toBe("By token again");
    expect((await call("GET", "/instances/configuration")).status).toBe(200);
    expect((await app.hub<Status>(instance.token, "GET", "/instances/status")).body.valid).toBe(true);
    expect((await app.platform("PATCH", "/instances", { name: "Whose?" })).status).toBe(401);
  });

  it("a disabled instance answers 403 on the hub, and can be enabled again", async () => {
    const disabled = await app.platform<Shown>("DELETE", `${path()}/enabled`);
    expect(disabled.body.disabled).toBe(true);
    const refused = await app.hub<Problem>(instance.token, "GET", "/hubs/documents/ping");
    expect(refused.status).toBe(403);
    expect((await app.platform<Shown>("PUT", `${path()}/enabled`)).body.disabled).toBe(false);
    expect((await ping(instance.token)).status).toBe(200);
  });

  it("an old token works after a rotation for the requested grace period, by the store's time", async () => {
    const first = instance.token;
    const rotated = await app.platform<Shown>("POST", `${path()}/token`, { graceSeconds: 120 });
    expect(rotated.body.token).toMatch(/^lsi_/);
    for (const token of [first, rotated.body.token]) expect((await ping(token)).status).toBe(200);
    platform.clock.advance(121_000);
    expect((await ping(first)).status).toBe(401);
    expect((await ping(rotated.body.token)).status).toBe(200);
    instance = { ...instance, token: rotated.body.token };
    expect((await app.platform("POST", `${path()}/token`, { graceSeconds: -1 })).status).toBe(400);
  });
});

describe("listing instances", () => {
  it("finds by tag and text, newest first; a filter that matches nothing is 404", async () => {
    const of = await appOfAnotherUser(platform);
    expect(await list("", of)).toEqual([]);
    const one = await of.connect("dropbox", { name: "First one", tags: ["x", "y"] });
    const two = await of.connect("googledrive", { name: "Second one", tags: ["y"] });
    const ids = async (query: string) => (await list(query, of)).map(({ id }) => id);
    expect(new Set(await ids(""))).toEqual(new Set([one.id, two.id]));
    expect(await ids("?tags[]=x")).toEqual([one.id]);
    expect(await ids("?tags%5B%5D=y&tags%5B%5D=x")).toEqual([one.id]);
    expect(await ids("?searchText=SECOND")).toEqual([two.id]);
    expect(await ids("?searchText=googledrive&hydrate=false")).toEqual([two.id]);
    expect((await of.platform("GET", "/instances?tags[]=nothing")).status).toBe(404);
    expect((await of.platform("GET", "/elements/dropbox/instances")).body).toHaveLength(1);
    expect((await of.platform("GET", "/instances/count")).body).toEqual({
      totalInstances: 2,
      elementInstances: [
        { element: { key: "dropbox", name: "Dropbox" }, count: 1 },
        { element: { key: "googledrive", name: "Google Drive" }, count: 1 },
      ],
    });
    expect((await of.platform("GET", "/elements/dropbox/instances/count")).body).toMatchObject({
      totalInstances: 1,
      elementInstances: [{ element: { key: "dropbox" }, count: 1 }],
    });
    expect(await ids("?tags[]=x,y")).toEqual([one.id]);
    expect(await ids("?tags=y,x")).toEqual([one.id]);
    expect(new Set(await ids("?tags[]=y,,"))).toEqual(new Set([one.id, two.id]));
  });

  it("below an element is a list, whatever instance token stands beside the secrets", async () => {
    const of = await appOfAnotherUser(platform);
    const one = await of.connect("dropbox");
    const two = await of.connect("googledrive");
    const idsFor = async (authorization: string) => {
      const { body } = await of.call<Shown[]>("GET", "/elements/dropbox/instances", { authorization });
      return body.map(({ id }) => id);
    };
    for (const { token } of [one, two]) expect(await idsFor(of.hubAuthorization(token))).toEqual([one.id]);
    expect(await idsFor(`Bearer ${one.token}`)).toEqual([one.id]);
    const other = { authorization: `Bearer ${two.token}` };
    expect((await of.call("GET", "/elements/dropbox/instances", other)).status).toBe(404);
  });

  it("keeps tags with commas exactly as a JSON body has them", async () => {
    const of = await appOfAnotherUser(platform);
    const { id } = await of.connect("dropbox", { tags: ["a,b", "c"] });
    expect((await of.platform<Shown>("GET", `/instances/${id}`)).body.tags).toEqual(["a,b", "c"]);
    expect(await list("?tags[]=c", of)).toHaveLength(1);
  });

  it("has pages without gap or overlap", async () => {
    const of = await appOfAnotherUser(platform);
    for (const name of ["1", "2", "3", "4", "5"]) await of.connect("dropbox", { name });
    const all = (await list("?pageSize=2000", of)).map(({ id }) => id);
    expect(all).toHaveLength(5);
    const seen: number[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: Answer<Shown[]> = await of.platform<Shown[]>(
        "GET",
        `/instances?pageSize=2&nextPage=${next}`,
      );
      expect(page.headers.get("elements-returned-count")).toBe(String(page.body.length));
      seen.push(...page.body.map(({ id }) => id));
      next = page.headers.get("elements-next-page-token");
    }
    expect(seen).toEqual(all);
    expect((await list("?pageSize=2&page=2", of)).map(({ id }) => id)).toEqual(all.slice(2, 4));
    const past = await of.platform<Shown[]>("GET", "/instances?pageSize=2&page=9");
    expect([past.status, past.body]).toEqual([200, []]);
    expect(past.headers.get("elements-next-page-token")).toBeNull();
    for (const query of ["pageSize=0", "pageSize=2001", "pageSize=x", "page=0", "nextPage=garbled"]) {
      expect((await of.platform("GET", `/instances?${query}`)).status).toBe(400);
    }
  });

  it("ignores the token of a deleted instance beside a user's secrets", async () => {
    const instance = await app.connect("dropbox", { name: "Short-lived" });
    await app.platform("DELETE", `/instances/${instance.id}`);
    const answer = await app.call<Shown[]>("GET", "/instances", {
      authorization: app.hubAuthorization(instance.token),
    });
    expect(answer.status).toBe(200);
    expect(Array.isArray(answer.body)).toBe(true);
  });
});

describe("an instance of another user", () => {
  it("does not exist for any call", async () => {
    const instance = await app.connect("dropbox");
    for (const other of [await appOfAnotherOrganization(platform), await appOfAnotherUser(platform)]) {
      for (const [method, path] of [
        ["GET", ""],
        ["PUT", ""],
        ["PATCH", ""],
        ["DELETE", ""],
        ["GET", "/configuration"],
        ["PUT", "/enabled"],
        ["DELETE", "/enabled"],
        ["POST", "/token"],
        ["POST", "/refresh"],
        ["GET", "/status"],
      ] as const) {
        const answer = await other.platform<Problem>(method, `/instances/${instance.id}${path}`);
        expect([method, path, answer.status, answer.body.code]).toEqual([
          method,
          path,
          404,
          "unknown_instance",
        ]);
      }
      const hub = await app.call("GET", "/hubs/documents/ping", {
        authorization: other.hubAuthorization(instance.token),
      });
      expect(hub.status).toBe(404);
    }
    expect((await ping(instance.token)).status).toBe(200);
  });
});
