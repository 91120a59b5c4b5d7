import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { type Answer, App, type CreatedInstance } from "./app.ts";
import { scanTable } from "./tenants.ts";

interface Problem {
  readonly requestId: string;
  readonly message: string;
  readonly code: string;
  readonly detail?: {
    readonly field?: string;
    readonly vendor?: { readonly error?: string; readonly error_description?: string };
  };
}

let platform: RunningPlatform;
let app: App;
let instance: CreatedInstance;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  instance = await app.connect("dropbox");
  await platform.settled();
});
afterAll(() => platform.close());
beforeEach(() => {
  for (const vendor of Object.values(platform.vendors)) {
    vendor.clearFaults();
    vendor.clearRequests();
  }
});

/** Checks that an error of ours has this shape, and repeats no credential. */
function expectProblem(answer: Answer<Problem>, status: number, code?: string, field?: string): void {
  expect({ status: answer.status, ...answer.body }).toMatchObject({
    status,
    requestId: expect.any(String),
    message: expect.any(String),
    code: code ?? expect.any(String),
  });
  if (field !== undefined) expect(answer.body.detail?.field).toBe(field);
  expect(answer.headers.get("content-type")).toContain("application/json");
  expect(answer.headers.get("elements-request-id")).toBe(answer.body.requestId);
  const text = JSON.stringify([answer.body, [...answer.headers]]);
  for (const secret of [app.settings.userSecret, app.settings.organizationSecret, instance.token]) {
    expect(text).not.toContain(secret);
  }
}

/** Checks that `act` leaves no new instance and no new rescue record behind. */
async function leavesNothing(act: () => Promise<void>): Promise<void> {
  const before = await scanTable(platform, "InstancesTable");
  platform.frontDoor.clearCalls();
  await act();
  await platform.settled();
  expect(idsIn(await scanTable(platform, "InstancesTable"))).toEqual(idsIn(before));
  expect(platform.frontDoor.calls().filter(({ action }) => action === "s3:PutObject")).toEqual([]);
}

const idsIn = (items: string) => [...items.matchAll(/"instanceId":(\d+)/g)].map(([, id]) => id).sort();

/** A fresh code from the vendor, with a state of ours. */
async function freshCode(connector = "dropbox"): Promise<Record<string, string>> {
  const { oauthUrl } = await app.authorizationUrl(connector);
  return Object.fromEntries((await app.consent(connector, oauthUrl)).searchParams);
}

const create = (providerData: Record<string, unknown> | undefined, more: Record<string, unknown> = {}) =>
  app.platform<Problem>("POST", "/instances", {
    element: { key: "dropbox" },
    name: "Bad",
    ...(providerData === undefined ? {} : { providerData }),
    ...more,
  });

describe("credentials that are", () => {
  const wrong: Readonly<Record<string, () => string | undefined>> = {
    missing: () => undefined,
    "of another scheme": () => "Basic dXNlcjpwYXNz",
    garbled: () => "User , Organization",
    "sent twice": () => `User ${app.settings.userSecret}, User ${app.settings.userSecret}`,
    unknown: () => `User lsu_${"x".repeat(43)}, Organization ${app.settings.organizationSecret}`,
    "of an unknown organization": () => `User ${app.settings.userSecret}, Organization lso_${"x".repeat(43)}`,
    swapped: () => `User ${app.settings.organizationSecret}, Organization ${app.settings.userSecret}`,
    "without an organization": () => `User ${app.settings.userSecret}`,
    "an instance's": () => `Bearer ${instance.token}`,
    "very long": () => `User ${"x".repeat(6_000)}, Organization y`,
  };
  it.each(Object.entries(wrong))("%s are 401 on the platform API", async (_, header) => {
    const authorization = header();
    for (const path of ["/instances", "/connect/sessions", "/elements/dropbox/oauth/url"]) {
      const answer = await app.call<Problem>("POST", path, {
        ...(authorization === undefined ? {} : { authorization }),
        json: { element: { key: "dropbox" } },
      });
      expectProblem(answer, 401, "unauthorized");
    }
  });

  it("unknown, shortened or changed are 401 on the hub and the proxy", async () => {
    const [head, secret = ""] = instance.token.split(".");
    for (const token of [
      "x",
      "lsi_1.",
      `${head}.`,
      `${head}.${secret.slice(1)}`,
      `${head}.${secret.split("").reverse().join("")}`,
      `lsi_zzzzzzzzzz.${secret}`,
      `lsi_${"z".repeat(40)}.${secret}`,
      app.settings.userSecret,
    ]) {
      for (const path of ["/hubs/documents/ping", "/ping", "/proxy/2/users/get_current_account"]) {
        const answer = await app.hub<Problem>(token, "GET", path);
        expectProblem(answer, 401);
      }
    }
  });
});

describe("POST /instances with", () => {
  it.each([
    [{ element: undefined }, 400, "element.key"],
    [{ element: {} }, 400, "element.key"],
    [{ element: { key: "nothing" } }, 404, undefined],
    [{ element: { key: "__proto__" } }, 404, undefined],
    [{ element: [] }, 400, undefined],
    [{ providerData: undefined }, 400, "providerData.code"],
    [{ providerData: {} }, 400, "providerData.code"],
    [{ providerData: { code: "" } }, 400, "providerData.code"],
    [{ providerData: { code: null } }, 400, "providerData.code"],
    [{ providerData: { code: { value: "x" } } }, 400, "providerData.code"],
    [{ providerData: { code: ["x"] } }, 400, "providerData.code"],
    [{ providerData: "code" }, 400, "providerData"],
    [{ providerData: ["code"] }, 400, "providerData"],
    [{ configuration: "x" }, 400, "configuration"],
    [{ configuration: { a: [1] } }, 400, "configuration.a"],
    [{ configuration: { "oauth.api.key": "id without secret" } }, 400, "configuration.oauth.api.secret"],
    [{ tags: "one" }, 400, "tags"],
    [{ tags: [{ a: 1 }] }, 400, "tags.0"],
    [{ name: { first: "x" } }, 400, "name"],
    [{ name: "x".repeat(300) }, 400, "name"],
  ])("%j is %i, naming %s", async (change, status, field) => {
    await leavesNothing(async () => {
      const answer = await app.platform<Problem>("POST", "/instances", {
        element: { key: "dropbox" },
        providerData: { code: "never sent" },
        name: "Bad",
        ...change,
      });
      expectProblem(answer, status, undefined, field);
      expect(platform.vendors.dropbox?.requests()).toEqual([]);
    });
  });

  it.each(["{", "[1,", "text", '"text"', "\u0000"])("the body %j is a 400", async (body) => {
    const answer = await app.call<Problem>("POST", "/instances", {
      authorization: app.platformAuthorization,
      headers: { "Content-Type": "application/json" },
      body,
    });
    expectProblem(answer, 400);
  });

  it("a wrong code is 400 with the vendor's own words", async () => {
    for (const connector of ["dropbox", "googledrive"]) {
      await leavesNothing(async () => {
        const answer = await create({ code: "made-up" }, { element: { key: connector } });
        expectProblem(answer, 400, "invalid_code", "providerData.code");
        expect(answer.body.detail?.vendor?.error).toBe("invalid_grant");
        expect(JSON.stringify(answer.body)).not.toContain(app.settings.connectors[connector]?.clientSecret);
      });
    }
  });

  it("a wrong, an expired or a used state, or one of another connector, is 400", async () => {
    await leavesNothing(async () => {
      const wrong = await create({ code: "c", state: `ls_${"x".repeat(43)}` });
      expectProblem(wrong, 400, "invalid_state", "providerData.state");
      const foreign = await freshCode("googledrive");
      expectProblem(await create(foreign), 400, "invalid_state", "providerData.state");
      // The attempt before has used it up.
      const again = await create(foreign, { element: { key: "googledrive" } });
      expectProblem(again, 400, "invalid_state", "providerData.state");
      const old = await freshCode();
      platform.clock.advance(31 * 60_000);
      expectProblem(await create(old), 400, "invalid_state", "providerData.state");
      expect(platform.vendors.dropbox?.tokenRequests("authorization_code")).toBe(0);
    });
  });

  it("a code without the state of its code verifier is refused by the vendor", async () => {
    await leavesNothing(async () => {
      const { code } = await freshCode();
      expectProblem(await create({ code }), 400, "invalid_code");
    });
  });

  it("a redirect URI other than that of the authorization is 400", async () => {
    await leavesNothing(async () => {
      const answer = await create(await freshCode(), {
        configuration: { "oauth.callback.url": "https://elsewhere.example/cb" },
      });
      expectProblem(answer, 400);
      expect(answer.body.detail?.vendor?.error).toEqual(expect.any(String));
    });
  });

  it("a client that the vendor does not know is 400, naming the client", async () => {
    await leavesNothing(async () => {
      const { code } = await freshCode();
      const answer = await create(
        { code },
        {
          configuration: {
            "oauth.api.key": "nobody",
            "oauth.api.secret": "s3cr3t!",
            "oauth.callback.url": app.callbackUrl("dropbox"),
          },
        },
      );
      expectProblem(answer, 400, "invalid_client", "configuration.oauth.api.key");
      expect(JSON.stringify(answer.body)).not.toContain("s3cr3t!");
    });
  });

  it("a body that is too large is 413 in our shape", async () => {
    await leavesNothing(async () => {
      const answer = await create({ code: "c" }, { configuration: { big: "x".repeat(5_500_000) } });
      expectProblem(answer, 413, "payload_too_large");
    });
  });

  it("unusual names and tags is accepted, and HTML in them is removed", async () => {
    const name = "Ünï \"quoted\" \\ 'x' 100% 日本 👩‍👩‍👧 <img src=x>";
    const made = await create(await freshCode(), { name, tags: ["#?&+", "<b>", " "] });
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({
      name: "Ünï \"quoted\" \\ 'x' 100% 日本 👩‍👩‍👧",
      tags: ["#?&+"],
    });
  });
});

describe("a body that is not a JSON object", () => {
  it.each([
    ["POST", "/elements/dropbox/oauth/url", "platform"],
    ["POST", "/connect/sessions", "platform"],
    ["POST", "/instances", "platform"],
    ["PATCH", "/instances", "owner"],
    ["POST", "/instances/token", "hub"],
    ["PATCH", "/files/metadata?path=/a.txt", "hub"],
    ["POST", "/folders", "hub"],
    ["POST", "/files/copy?path=/a.txt", "hub"],
  ] as const)("%s %s is 400, naming the body", async (method, path, who) => {
    for (const body of [[], [1], [{ path: "/b.txt" }], "s3cret", 7]) {
      const authorization = {
        platform: app.platformAuthorization,
        hub: `Bearer ${instance.token}`,
        owner: app.hubAuthorization(instance.token),
      }[who];
      const answer = await app.call<Problem>(method, path, { authorization, json: body });
      expectProblem(answer, 400, "invalid_request", "body");
      expect(answer.body.message).not.toContain("s3cret");
    }
  });
});

describe("a vendor whose token endpoint", () => {
  const tokenPath = "/oauth2/token";
  const withFault = async (fault: object): Promise<Answer<Problem>> => {
    const providerData = await freshCode();
    platform.vendors.dropbox?.fail({ path: tokenPath, ...fault });
    return create(providerData);
  };

  it.each([
    [
      "answers HTML",
      { status: 200, body: "<html>Welcome</html>", contentType: "text/html" },
      502,
      "vendor_unreachable",
    ],
    [
      "answers invalid JSON",
      { status: 200, body: "{", contentType: "application/json" },
      502,
      "vendor_unreachable",
    ],
    [
      "answers an empty body",
      { status: 200, body: "", contentType: "application/json" },
      502,
      "vendor_unreachable",
    ],
    [
      "answers an error page",
      { status: 500, body: "<html>oops</html>", contentType: "text/html" },
      502,
      "vendor_unreachable",
    ],
    ["breaks the connection", { reset: "before" }, 502, "vendor_unreachable"],
    ["acts and then breaks the connection", { reset: "after" }, 502, "vendor_unreachable"],
    ["breaks the connection in the middle of its answer", { reset: "middle" }, 502, "vendor_unreachable"],
    [
      "answers 429",
      { status: 429, body: "{}", headers: { "Retry-After": "17" } },
      429,
      "vendor_rate_limited",
    ],
    ["answers 503", { status: 503, body: "{}", headers: { "Retry-After": "17" } }, 503, "vendor_unavailable"],
    [
      "answers an unknown error",
      { status: 400, body: '{"error":"temporarily_odd"}', contentType: "application/json" },
      400,
      "vendor_refused",
    ],
  ])("%s leaves nothing behind, and the caller gets a clear error", async (_, fault, status, code) => {
    await leavesNothing(async () => {
      const answer = await withFault(fault);
      expectProblem(answer, status, code);
      if (status === 429 || status === 503) expect(answer.headers.get("retry-after")).toBe("17");
    });
  });

  it.each([429, 503])("answers %i accepts a second try with the same code and state", async (status) => {
    const providerData = await freshCode();
    platform.vendors.dropbox?.fail({ path: tokenPath, status, body: "{}", headers: { "Retry-After": "1" } });
    expect((await create(providerData)).status).toBe(status);
    expect((await create(providerData)).status).toBe(200);
    const third = await create(providerData);
    expectProblem(third, 400, "code_used");
  });

  it("answers correctly but as text/plain, or slowly, is understood", async () => {
    const slow = await withFault({ delayMs: 2_000 });
    expect(slow.status).toBe(200);
    const { code, state } = await freshCode();
    platform.vendors.dropbox?.fail({
      path: tokenPath,
      status: 200,
      body: JSON.stringify({ access_token: "strange", token_type: "bearer", expires_in: "14400" }),
      contentType: "text/plain",
    });
    const plain = await create({ code, state });
    expect(plain.status).toBe(200);
  });
});

describe("paths and methods", () => {
  it.each([
    ["GET", "/nothing"],
    ["GET", "/instances/1/nothing"],
    ["POST", "/connect/nothing/at/all"],
    ["GET", "/oauth/nothing"],
    ["GET", "/elements/dropbox/nothing"],
    ["GET", "/hubs/documents/nothing"],
  ])("%s %s is a 404 in our shape", async (method, path) => {
    const answer = await app.call<Problem>(method, path, { authorization: app.platformAuthorization });
    expectProblem(answer, 404);
  });

  it.each([
    ["/elements", 404],
    ["/elements/api-v3/hubs", 404],
    ["/elements/api-v2", 404],
    ["/elements/api-v2/../api-v2/nothing", 404],
    ["/elements/api-v2/%2e%2e/%2e%2e/etc/passwd", 404],
    ["/elements/api-v2/elements/50%", 400],
  ])("%s, sent without normalization, is %i in our shape", async (path, status) => {
    const answer = await raw("GET", path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({
      requestId: expect.any(String),
      message: expect.any(String),
      code: expect.any(String),
    });
    expect(answer.body).not.toContain(app.settings.userSecret);
  });

  it.each([
    ["PATCH", "/elements", "GET, HEAD"],
    ["DELETE", "/hubs/documents", "GET, HEAD"],
    ["POST", "/elements/dropbox", "GET, HEAD"],
    ["GET", "/connect/sessions", "POST"],
    ["POST", "/oauth/callback/dropbox", "GET"],
    ["GET", "/instances/1/enabled", "PUT, DELETE"],
    ["POST", "/instances/1", "GET, HEAD, PUT, PATCH, DELETE"],
  ])("%s %s is 405 and lists the allowed methods", async (method, path, allow) => {
    const answer = await app.call<Problem>(method, path, {
      authorization: app.platformAuthorization,
      ...(method === "GET" ? {} : { json: {} }),
    });
    expectProblem(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe(allow);
  });

  it("HEAD of a callback is 405, because a request to a callback uses up its state", async () => {
    const answer = await app.call("HEAD", "/oauth/callback/dropbox?code=c&state=s");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
  });

  it("TRACE is 405, on the proxy too", async () => {
    for (const path of ["/elements", "/hubs/documents/ping", "/proxy/2/users/get_current_account"]) {
      const answer = await raw("TRACE", `/elements/api-v2${path}`);
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([405, "method_not_allowed"]);
    }
  });

  it.each([
    "0",
    "-1",
    "1e3",
    "01",
    "9".repeat(17),
    "%00",
    "a'b\"c",
    "%F0%9F%92%A9",
    "%2F",
    "..%2F..",
    "1;DROP",
  ])("the instance id %s is 404", async (id) => {
    const answer = await app.platform<Problem>("GET", `/instances/${id}`);
    expectProblem(answer, 404);
  });

  it.each(["%00", "a%2Fb", "%F0%9F%92%A9", "DROPBOX", "dropbox%20", "constructor"])(
    "the element %s is 404",
    async (key) => {
      expectProblem(await app.call<Problem>("GET", `/elements/${key}`), 404);
      const url = await app.call<Problem>(
        "GET",
        `/elements/${key}/oauth/url?apiKey=k&callbackUrl=https://a.example`,
      );
      expectProblem(url, 404);
    },
  );

  it("unknown query parameters and an Element part that is not needed are ignored", async () => {
    const answer = await app.call<{ id: number }>("GET", `/instances/${instance.id}?unknown=1&scope=`, {
      authorization: app.hubAuthorization("not-even-a-token"),
    });
    expect(answer.status).toBe(200);
    expect(answer.body.id).toBe(instance.id);
  });

  it("PUT and DELETE may carry the JSON null", async () => {
    for (const method of ["DELETE", "PUT"]) {
      const answer = await app.call(method, `/instances/${instance.id}/enabled`, {
        authorization: app.platformAuthorization,
        headers: { "Content-Type": "application/json" },
        body: "null",
      });
      expect(answer.status).toBe(200);
    }
  });
});

/** Sends a request with its path unchanged: `fetch` would normalize the path. */
function raw(method: string, path: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(platform.url);
  const headers = { Authorization: app.platformAuthorization };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, method, path, headers, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}
