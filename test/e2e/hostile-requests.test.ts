import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authorizationRoutes } from "../../functions/authorization/routes.ts";
import { connectionRoutes } from "../../functions/connections/routes.ts";
import { documentsRoutes } from "../../functions/documents/routes.ts";
import type { Route } from "../../functions/http/contract.ts";
import { proxyRoutes } from "../../functions/proxy/routes.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";

let platform: RunningPlatform;
let app: App;
let dropbox: CreatedInstance;
let drive: CreatedInstance;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
  dropbox = await app.connect("dropbox");
  drive = await app.connect("googledrive");
  await platform.settled();
}, 120_000);
afterAll(() => platform.close());

const unused = (): never => {
  throw new Error("the table is only read");
};
const ROUTES: readonly Route[] = [
  ...authorizationRoutes(unused),
  ...connectionRoutes(unused),
  ...documentsRoutes(unused),
  ...proxyRoutes(unused),
];

/**
 * Segments as they are written in a URL: too long, numbers that no id can have, invalid UTF-8, invalid percent-encoding,
 * unusual characters.
 */
const SEGMENTS: readonly string[] = [
  "A".repeat(3_000),
  "%41".repeat(1_000),
  "-1",
  "0",
  "9007199254740993",
  "99999999999999999999",
  "1e9",
  "zzzzzzzzzzz.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  `lsi_zzzzzzzzzzz.${"A".repeat(43)}`,
  `cs_${"A".repeat(32)}`,
  "__proto__",
  "constructor",
  "%",
  "%ff",
  "%ed%a0%80",
  "%00",
  "%0d%0aX-Evil:%201",
  "%F0%9F%98%80",
  "%252F",
  "%2e%2e%2f%2e%2e",
  "id:%2f",
  "a;b='%22",
];
const PARAMETERS: readonly string[] = [
  "path",
  "where",
  "orderBy",
  "nextPage",
  "page",
  "pageSize",
  "fields",
  "tags[]",
  "text",
  "startDate",
  "mimeType",
  "folderId",
  "raw",
  "mediaType",
  "searchText",
  "hydrate",
  "state",
  "code",
  "iss",
  "error",
  "apiKey",
  "callbackUrl",
  "siteAddress",
  "scope",
];
const VALUES: readonly string[] = [
  "A".repeat(3_000),
  "-1",
  "9007199254740993",
  "%00",
  "%0d%0aX-Evil:%201",
  "%F0%9F%98%80",
  "/%2e%2e/",
  `/${"a/".repeat(1_500)}`,
  "((((((((((((((((((((((((((((((",
  "name%20LIKE%20'%25a%25a%25a%25a%25c'",
];
/** Values for the path parameters that are not tried at the moment. */
const PLAIN: Readonly<Record<string, string>> = {
  keyOrId: "dropbox",
  hub: "documents",
  connector: "dropbox",
};

const fill = (route: Route, tried?: string, segment = ""): string =>
  route.path.replace(/\{([A-Za-z]+)\+?\}/g, (_, name: string) =>
    name === tried ? segment : (PLAIN[name] ?? "1"),
  );

const namesIn = ({ path }: Route): string[] =>
  [...path.matchAll(/\{([A-Za-z]+)\+?\}/g)].map(([, name = ""]) => name);

/** Each parameter name is tried with every segment on at least one route, and each route with some segments. */
const URLS: readonly (readonly [Route, string])[] = (() => {
  const routesWith = new Map<string, number>();
  for (const name of ROUTES.flatMap(namesIn)) routesWith.set(name, (routesWith.get(name) ?? 0) + 1);
  const turns = new Map<string, number>();
  const next = (name: string, count: number, of: readonly string[]): string[] => {
    const from = turns.get(name) ?? 0;
    turns.set(name, from + count);
    return Array.from({ length: count }, (_, index) => of[(from + index) % of.length] ?? "");
  };
  return ROUTES.flatMap((route) => {
    const bySegment = namesIn(route).flatMap((name) => {
      const count = Math.max(2, Math.ceil(SEGMENTS.length / (routesWith.get(name) ?? 1)));
      return next(name, count, SEGMENTS).map((segment) => fill(route, name, segment));
    });
    const values = next("", 2, VALUES);
    const byQuery = next("?", 2, PARAMETERS).map((name, index) => `${fill(route)}?${name}=${values[index]}`);
    return [...bySegment, ...byQuery].map((url) => [route, url] as const);
  });
})();

/** Not sent by `fetch`, because `fetch` normalizes URLs. */
function send(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  const url = new URL(platform.baseUrl);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: url.hostname, port: url.port, method, path: url.pathname + path, headers, timeout: 60_000 },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.on("error", reject);
    request.end(["GET", "HEAD"].includes(method) ? undefined : "{}");
  });
}

/** Returns the requests whose answer shows a fault of ours: a 5xx other than 501. */
async function broken(
  urls: readonly (readonly [Route, string])[],
  headers: Record<string, string>,
): Promise<string[]> {
  const waiting = [...urls];
  const suspects: (readonly [Route, string])[] = [];
  const complaintOf = async ([{ method }, url]: readonly [Route, string]) => {
    const used = method === "ANY" ? "GET" : method;
    const { status, text } = await send(used, url, { "Content-Type": "application/json", ...headers });
    const isAnswered = status < 500 || status === 501;
    return isAnswered ? [] : [`${status} ${used} ${url.slice(0, 120)} ${text.slice(0, 200)}`];
  };
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if ((await complaintOf(next)).length > 0) suspects.push(next);
    }
  };
  await Promise.all(Array.from({ length: 2 }, work));
  // A function that starts on a busy machine may be too slow at first. A real fault appears again.
  const found: string[] = [];
  for (const each of suspects) found.push(...(await complaintOf(each)));
  return found;
}

describe("a hostile URL on any route", { timeout: 300_000 }, () => {
  it("causes no server error without credentials", async () => {
    expect(await broken(URLS, {})).toEqual([]);
  });

  it("causes no server error for a user, or for an instance of either vendor", async () => {
    // Calls that change or end an instance are not made on the instances of these credentials.
    const harmless = URLS.filter(
      ([route]) => ["GET", "ANY"].includes(route.method) || namesIn(route).some((name) => name !== "keyOrId"),
    );
    expect(await broken(harmless, { Authorization: app.platformAuthorization })).toEqual([]);
    for (const { token } of [dropbox, drive]) {
      const ofHub = harmless.filter(([{ name }]) => /^(documents|proxy|instances)/.test(name));
      expect(await broken(ofHub, { Authorization: `Bearer ${token}` })).toEqual([]);
    }
  });

  it("that once caused a server error is 404", async () => {
    for (const path of [
      `/connect/${"A".repeat(3_000)}`,
      `/hubs/documents/links/zzzzzzzzzzz.${"A".repeat(40)}`,
      "/instances/9007199254740993",
      "/instances/-1",
    ]) {
      expect([path, (await app.platform("GET", path)).status]).toEqual([path, 404]);
    }
  });
});

describe("texts that callers and vendors choose", () => {
  it("take no longer with many wildcards than with one", async () => {
    const [account] = platform.vendors.dropbox?.accounts ?? [];
    platform.vendors.dropbox?.addFile(account?.login ?? "", `/like/${"a".repeat(200)}b`, "x");
    const list = async (where: string) => {
      const begunAt = performance.now();
      const query = new URLSearchParams({ path: "/like", where });
      const { status, body } = await app.hub<unknown[]>(dropbox.token, "GET", `/folders/contents?${query}`);
      return { status, found: body.length, ms: performance.now() - begunAt };
    };
    await list("name LIKE '%b'");
    const plain = await list("name LIKE '%b'");
    expect(plain).toMatchObject({ status: 200, found: 1 });
    for (const where of ["name LIKE '%a%a%a%a%c'", `name LIKE '${"%a".repeat(190)}%c'`]) {
      const evil = await list(where);
      expect(evil).toMatchObject({ status: 200, found: 0 });
      expect(evil.ms).toBeLessThan(plain.ms * 10 + 3_000);
    }
  });

  it("are refused when they are nested far too deep", async () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    for (const [method, path, authorization, wrap] of [
      ["POST", "/instances", app.platformAuthorization, (text: string) => text],
      ["POST", "/instances", app.platformAuthorization, (text: string) => `{"providerData":{"x":${text}}}`],
      ["POST", "/connect/sessions", app.platformAuthorization, (text: string) => `{"tags":${text}}`],
      ["PATCH", "/files/metadata?path=/a", `Bearer ${dropbox.token}`, (text: string) => `{"x":${text}}`],
    ] as const) {
      for (const depth of [5_000, 100_000]) {
        const answer = await app.call<{ code: string }>(method, path, {
          authorization,
          headers: { "Content-Type": "application/json" },
          body: wrap(nested(depth)),
        });
        expect([path, answer.status, answer.body.code]).toEqual([path, 400, "too_deep"]);
      }
      const shallow = await app.call<{ code: string }>(method, path, {
        authorization,
        headers: { "Content-Type": "application/json" },
        body: wrap(nested(50)),
      });
      expect(shallow.body.code).not.toBe("too_deep");
    }
  });

  it("are reported as the vendor's error when a vendor nests them too deep", async () => {
    platform.vendors.dropbox?.fail({
      path: "/2/users/get_current_account",
      status: 200,
      contentType: "application/json",
      body: `{"account_id":"a","x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
    });
    const answer = await app.hub<{ code: string }>(dropbox.token, "GET", "/me?raw=true");
    expect([answer.status, answer.body.code]).toEqual([502, "vendor_bad_answer"]);
  });

  it.each(["text/plain\r\nSet-Cookie: a=b", "text/日本語", "no media type"])(
    "do not prevent a download: a Drive type %j",
    async (mimeType) => {
      const made = await app.call<{ id: string }>("POST", "/proxy/drive/v3/files", {
        authorization: `Bearer ${drive.token}`,
        json: { name: "odd", mimeType },
      });
      expect(made.status).toBe(200);
      const answer = await app.hub(drive.token, "GET", `/files/${made.body.id}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      expect(answer.headers.get("set-cookie")).toBeNull();
    },
  );

  it("lose an HTML tag that is never closed, in a name", async () => {
    const answer = await app.platform<CreatedInstance>("PATCH", `/instances/${drive.id}`, {
      name: "Files <img src=x onerror=alert(1)",
    });
    expect(answer.body.name).toBe("Files");
  });
});

describe("an answer", () => {
  it("that is JSON is not cached, and not treated as a page", async () => {
    for (const [path, authorization] of [
      ["/ping", `Bearer ${dropbox.token}`],
      ["/folders/contents?path=/", `Bearer ${dropbox.token}`],
      ["/files/metadata?path=/nothing", `Bearer ${dropbox.token}`],
      ["/instances", app.platformAuthorization],
      ["/instances", undefined],
      ["/elements", undefined],
      ["/no/such/path", undefined],
    ] as const) {
      const { headers } = await app.call("GET", path, authorization === undefined ? {} : { authorization });
      expect([path, headers.get("cache-control"), headers.get("x-content-type-options")]).toEqual([
        path,
        "no-store",
        "nosniff",
      ]);
    }
  });

  it("with bytes is cached only for its caller, also through a link", async () => {
    const [account] = platform.vendors.dropbox?.accounts ?? [];
    platform.vendors.dropbox?.addFile(account?.login ?? "", "/cached.txt", "x");
    const bytes = await app.hub(dropbox.token, "GET", "/files?path=/cached.txt");
    const links = await app.hub<{ cloudElementsLink: string }>(
      dropbox.token,
      "GET",
      "/files/links?path=/cached.txt",
    );
    const linked = await app.call("GET", links.body.cloudElementsLink);
    expect([bytes.status, linked.status]).toEqual([200, 200]);
    expect([bytes, linked].map(({ headers }) => headers.get("cache-control"))).toEqual(
      Array(2).fill("private, no-cache"),
    );
  });

  it("of the gateway itself has the same header", async () => {
    const { status, headers } = await app.call("POST", "/instances", { body: "x".repeat(5_500_000) });
    expect(status).toBe(413);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("HEAD", () => {
  it("creates no link", async () => {
    const [account] = platform.vendors.dropbox?.accounts ?? [];
    platform.vendors.dropbox?.addFile(account?.login ?? "", "/looked-at.txt", "x");
    platform.vendors.dropbox?.clearRequests();
    for (const path of ["/files/links", "/hubs/documents/files/links", "/folders/links"]) {
      const { status, headers } = await app.hub(dropbox.token, "HEAD", `${path}?path=/looked-at.txt`);
      expect([status, headers.get("allow")]).toEqual([405, "GET, DELETE"]);
    }
    expect(platform.vendors.dropbox?.requests()).toEqual([]);
  });

  it("sends a vendor only reading requests, on every GET route", async () => {
    platform.vendors.dropbox?.clearRequests();
    for (const route of ROUTES) {
      if (route.method === "GET") await app.hub(dropbox.token, "HEAD", `${fill(route)}?path=/looked-at.txt`);
    }
    const asked = platform.vendors.dropbox?.requests().map(({ path }) => path) ?? [];
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((path) => /create|upload|delete|move|copy|revoke|restore|token/.test(path))).toEqual(
      [],
    );
  });
});

describe("a sign-in", () => {
  const create = (providerData: Record<string, string>) =>
    app.platform<{ code: string; detail?: { field?: string } }>("POST", "/instances", {
      element: { key: "googledrive" },
      providerData,
      configuration: { "oauth.callback.url": app.callbackUrl("googledrive") },
      name: "Direct",
    });

  it("with another issuer than the vendor's is refused, and the code still works", async () => {
    const { oauthUrl } = await app.authorizationUrl("googledrive");
    const back = Object.fromEntries((await app.consent("googledrive", oauthUrl)).searchParams);
    const refused = await create({ ...back, iss: "https://evil.example" });
    expect([refused.status, refused.body.code, refused.body.detail?.field]).toEqual([
      400,
      "invalid_issuer",
      "providerData.iss",
    ]);
    const again = await app.platform<{ code: string }>("PATCH", `/instances/${drive.id}`, {
      providerData: { ...back, iss: "https://evil.example" },
    });
    expect([again.status, again.body.code]).toEqual([400, "invalid_issuer"]);
    expect((await create(back)).status).toBe(200);
  });

  it.each(["dropbox", "googledrive"])(
    "at %s with the state of another authorization, whose challenge the code does not have, is refused by the vendor",
    async (connector) => {
      const plain = await app.authorizationUrl(connector, { pkce: false });
      const { code } = Object.fromEntries((await app.consent(connector, plain.oauthUrl)).searchParams);
      const other = await app.authorizationUrl(connector);
      const mixed = await app.platform<{ code: string }>("POST", "/instances", {
        element: { key: connector },
        providerData: { code, state: other.state },
        configuration: { "oauth.callback.url": app.callbackUrl(connector) },
      });
      expect([mixed.status, mixed.body.code]).toEqual([400, "invalid_code"]);
    },
  );
});
