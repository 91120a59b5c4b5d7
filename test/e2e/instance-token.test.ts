import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectionRoutes } from "../../functions/connections/routes.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { type Answer, App, type CreatedInstance } from "./app.ts";
import { operatorOf, storedInstance } from "./tenants.ts";

interface Shown {
  readonly token: string;
  readonly name: string;
  readonly disabled: boolean;
  readonly code?: string;
  readonly configuration: Readonly<Record<string, string>>;
}

const ORIGIN = "https://app.example";
let platform: RunningPlatform;
let app: App;
let instance: CreatedInstance;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  const admin = operatorOf(platform);
  const [organization] = await admin.listOrganizations();
  await admin.setAllowLists(organization?.id ?? "", { origins: [ORIGIN] });
  instance = await app.connect("dropbox");
});
afterAll(() => platform.close());

/** Every call that changes an instance, with a body that would change something. */
const CHANGES: readonly (readonly [method: string, path: string, json?: unknown])[] = [
  ["PUT", "", { name: "Changed" }],
  ["PATCH", "", { name: "Changed" }],
  ["PATCH", "", { configuration: { "my.key": "changed" } }],
  ["PUT", "", { providerData: { code: "swapped" }, acceptOtherAccount: true }],
  ["PATCH", "/configuration/my.key", { propertyValue: "changed" }],
  ["PUT", "/enabled"],
  ["DELETE", "/enabled"],
  ["DELETE", ""],
];
const READS = ["", "/configuration", "/configuration/my.key", "/status"];

type Credentials = (token: string) => string;
const alone: Record<string, Credentials> = {
  "as Bearer": (token) => `Bearer ${token}`,
  "as Element": (token) => `Element ${token}`,
  "as Element beside User without Organization": (token) =>
    `User ${app.settings.userSecret}, Element ${token}`,
  "as Element beside Organization without User": (token) =>
    `Organization ${app.settings.organizationSecret}, Element ${token}`,
};
const withUser: Record<string, Credentials> = {
  "User, Organization and Element": (token) => app.hubAuthorization(token),
  "Element, Organization and User": (token) =>
    `element ${token}, organization ${app.settings.organizationSecret}, user ${app.settings.userSecret}`,
};

const call = (
  method: string,
  path: string,
  authorization: string,
  json?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Shown>> =>
  app.call<Shown>(method, path, { authorization, headers, ...(json === undefined ? {} : { json }) });
const roots = () => ["/instances", `/instances/${instance.id}`, `/elements/dropbox/instances/${instance.id}`];

describe("an instance token alone", () => {
  beforeAll(async () => {
    await app.platform("PATCH", `/instances/${instance.id}`, { configuration: { "my.key": "mine" } });
  });

  it.each(Object.entries(alone))("%s reads its instance, by id and without one", async (_, credentials) => {
    for (const root of roots()) {
      for (const read of READS) {
        const { status } = await call("GET", root + read, credentials(instance.token));
        expect([root, read, status]).toEqual([root, read, 200]);
      }
    }
  });

  it.each(Object.entries(alone))("%s cannot change the instance: 403 needs_user", async (_, credentials) => {
    const before = await storedInstance(platform, instance.id);
    for (const root of roots()) {
      for (const [method, path, json] of CHANGES) {
        const { status, body } = await call(method, root + path, credentials(instance.token), json);
        expect([method, root + path, status, body.code]).toEqual([method, root + path, 403, "needs_user"]);
      }
    }
    expect(await storedInstance(platform, instance.id)).toEqual(before);
  });

  it("is accepted on no changing route except refresh and rotation", async () => {
    const allowed = ["instances.token", "instances.refresh"];
    const routes = connectionRoutes(() => {
      throw new Error("the table is only read");
    });
    const changing = routes.filter(({ method, name }) => method !== "GET" && !allowed.includes(name));
    const answers: Record<string, string> = {};
    for (const { method, path, name } of changing) {
      const at = path
        .replace("{keyOrId}", "dropbox")
        .replace("{id}", path.startsWith("/connect") ? "cs_none" : String(instance.id))
        .replace("{configId}", "my.key");
      const { status, body } = await call(method, at, `Bearer ${instance.token}`, { name: "Changed" });
      answers[`${method} ${path} (${name})`] = `${status} ${body.code ?? ""}`;
    }
    // Routes that name no instance need a user's secrets; the connect page needs the browser that began the session.
    const expected = changing.map(({ method, path, name }) => [
      `${method} ${path} (${name})`,
      name === "connect.choose"
        ? "404 "
        : /\.create$|claim$|^oauth\.proxies/.test(name)
          ? "401 unauthorized"
          : "403 needs_user",
    ]);
    expect(answers).toEqual(Object.fromEntries(expected));
    expect(changing.length).toBeGreaterThan(15);
  });

  it("cannot enable an instance that its user has disabled", async () => {
    await app.platform("DELETE", `/instances/${instance.id}/enabled`);
    expect((await call("PUT", "/instances/enabled", `Bearer ${instance.token}`)).status).toBe(403);
    expect((await storedInstance(platform, instance.id))?.enabled).toBe(false);
    await app.platform("PUT", `/instances/${instance.id}/enabled`);
  });
});

describe("a user's secrets", () => {
  it.each(Object.entries(withUser))(
    "as %s change the instance, by id and without an id",
    async (_, credentials) => {
      for (const root of roots()) {
        const renamed = await call("PATCH", root, credentials(instance.token), { name: root });
        expect([root, renamed.status, renamed.body.name]).toEqual([root, 200, root]);
        const disabled = await call("DELETE", `${root}/enabled`, credentials(instance.token));
        expect(disabled.body.disabled).toBe(true);
        const enabled = await call("PUT", `${root}/enabled`, credentials(instance.token));
        expect(enabled.body.disabled).toBe(false);
      }
    },
  );

  it("as Bearer change the instance by its id", async () => {
    const bearer = `Bearer ${app.settings.userSecret}`;
    const renamed = await call("PATCH", `/instances/${instance.id}`, bearer, { name: "By the user" });
    expect(renamed.body.name).toBe("By the user");
  });
});

describe("a browser page", () => {
  it("changes nothing, whatever credentials it sends", async () => {
    const before = await storedInstance(platform, instance.id);
    const credentials = [app.hubAuthorization(instance.token), app.platformAuthorization];
    for (const origin of [ORIGIN, "https://evil.example", "null"]) {
      for (const [method, path, json] of CHANGES) {
        for (const authorization of [...credentials, `Bearer ${instance.token}`]) {
          const { status, body } = await call(
            method,
            `/instances/${instance.id}${path}`,
            authorization,
            json,
            {
              Origin: origin,
            },
          );
          const code = authorization.startsWith("Bearer") ? "needs_user" : "not_from_browsers";
          expect([method, path, status, body.code]).toEqual([method, path, 403, code]);
        }
      }
    }
    expect(await storedInstance(platform, instance.id)).toEqual(before);
  });

  it("can use and read the instance with the token from a listed origin; a preflight allows nothing more", async () => {
    const headers = { Origin: ORIGIN };
    for (const path of ["/hubs/documents/ping", "/instances", "/instances/status"]) {
      const answer = await call("GET", path, `Bearer ${instance.token}`, undefined, headers);
      expect([path, answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([
        path,
        200,
        ORIGIN,
      ]);
    }
    const offered = async (path: string) => {
      const asks = { ...headers, "Access-Control-Request-Method": "PUT" };
      const { status, headers: answered } = await app.call("OPTIONS", path, { headers: asks });
      return [status, answered.get("access-control-allow-methods")];
    };
    expect(await offered("/instances")).toEqual([204, "GET, HEAD"]);
    expect(await offered(`/instances/${instance.id}/enabled`)).toEqual([204, "GET, HEAD"]);
    expect(await offered("/instances/token")).toEqual([204, "POST"]);
    expect(await offered("/files?path=/a")).toEqual([204, "GET, HEAD, POST, PUT, PATCH, DELETE"]);
    expect((await offered("/connect/sessions"))[0]).toBe(405);
  });
});

describe("a rotation", () => {
  let made: CreatedInstance;
  beforeEach(async () => {
    made = await app.connect("dropbox");
  });
  const rotate = (token: string, json: unknown = {}) =>
    call("POST", "/instances/token", `Bearer ${token}`, json);
  const ping = async (token: string) => (await app.hub(token, "GET", "/hubs/documents/ping")).status;

  it("is possible only with the newest token; the token before works during its grace period but cannot rotate", async () => {
    const first = await rotate(made.token, { graceSeconds: 600 });
    expect(first.status).toBe(200);
    for (const path of ["/instances/token", `/instances/${made.id}/token`]) {
      const old = await call("POST", path, `Bearer ${made.token}`, { graceSeconds: 600 });
      expect([old.status, old.body.code]).toEqual([403, "token_superseded"]);
    }
    expect(await ping(made.token)).toBe(200);
    expect(await ping(first.body.token)).toBe(200);
    const second = await rotate(first.body.token);
    expect(second.status).toBe(200);
    expect(await ping(made.token)).toBe(401);
    expect(await ping(second.body.token)).toBe(200);
  });

  it("is possible for the user at any time, with an old token or without one", async () => {
    const first = await rotate(made.token, { graceSeconds: 600 });
    const withOld = await call("POST", "/instances/token", app.hubAuthorization(made.token), {});
    expect(withOld.status).toBe(200);
    expect(await ping(first.body.token)).toBe(401);
    expect((await app.platform("POST", `/instances/${made.id}/token`)).status).toBe(200);
  });

  it("with the same token many times at once succeeds once, and the new token works", async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => rotate(made.token, { graceSeconds: 60 })),
    );
    const [winner, ...others] = answers.filter(({ status }) => status === 200);
    expect(others).toEqual([]);
    expect(await ping(winner?.body.token ?? "")).toBe(200);
    for (const lost of answers.filter((each) => each !== winner))
      expect([lost.status, lost.body.code]).toEqual([403, "token_superseded"]);
  });
});
