import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import connector from "../../functions/connectors/vendors/sharefile.ts";
import type { DocumentsItem } from "../../functions/core/documents/item.ts";
import type { Target } from "../../functions/core/documents/vendor.ts";
import type { CallRequest, VendorCall } from "../../functions/core/documents/vendor-call.ts";
import { sharefile } from "../../functions/core/documents/vendors/sharefile/sharefile.ts";
import { LinkspanError } from "../../functions/core/errors.ts";
import type { VendorResponse } from "../../functions/core/vendor-http.ts";
import { systemClock } from "../../local/clock.ts";
import { matchPath, pathTemplate } from "../../local/vendors/kit/path-template.ts";
import { startShareFile } from "../../local/vendors/sharefile/stand-in.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { APP, allow, REDIRECT_URI } from "./connect.ts";
import { DOCUMENTED, type DocumentedCall, EXAMPLES, ODATA, REFUSAL } from "./sharefile-documented.ts";
import { vendorFetch } from "./vendor-fetch.ts";

const LOGIN = "ada@example.com";
const API = "https://acme.sf-api.com";

type Json = Record<string, unknown> & { Id: string; value: Json[]; ChunkUri: string; Results: Json[] };

let standIn: StandIn;
let fetchVendor: typeof fetch;
let token = "";

beforeAll(async () => {
  standIn = await startShareFile({ clock: systemClock(), app: APP });
  fetchVendor = vendorFetch(standIn);
  token = (await tokens(await consent())).access_token;
});
afterAll(() => standIn.close());
beforeEach(() => standIn.switches.reset());

const consent = () =>
  allow(
    standIn,
    `https://secure.sharefile.com/oauth/authorize?${new URLSearchParams({
      response_type: "code",
      client_id: APP.clientId,
      redirect_uri: REDIRECT_URI,
      state: "mine",
    })}`,
    LOGIN,
  );

const ask = (form: Record<string, string>) =>
  fetchVendor(`${API}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ client_id: APP.clientId, client_secret: APP.clientSecret, ...form }),
  });

async function tokens(back: URLSearchParams): Promise<{ access_token: string; refresh_token: string }> {
  const answer = await ask({
    grant_type: "authorization_code",
    code: back.get("code") ?? "",
    redirect_uri: REDIRECT_URI,
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { access_token: string; refresh_token: string };
}

const send = (method: string, path: string, body?: unknown) =>
  fetchVendor(`${API}${path}`, {
    method,
    redirect: "manual",
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

async function ok(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await send(method, path, body);
  expect([path, answer.status]).toEqual([path, 200]);
  return (await answer.json()) as Json;
}

async function upload(folder: string, name: string, text: string, more: object = {}): Promise<Json> {
  const body = { Method: "Standard", Raw: true, FileName: name, FileSize: text.length, ...more };
  const { ChunkUri } = await ok("POST", `/sf/v3/Items(${folder})/Upload2`, body);
  const answer = await fetchVendor(`${ChunkUri}&fmt=json`, { method: "POST", body: text });
  const { value } = (await answer.json()) as { value: { id: string }[] };
  return await ok("GET", `/sf/v3/Items(${value[0]?.id})`);
}

let count = 0;
const newFolder = async () =>
  (await ok("POST", "/sf/v3/Items(home)/Folder", { Name: `Folder ${++count}` })).Id;

describe("ShareFile's stand-in", () => {
  it("names the account's hosts in the callback and in the token answer; a refresh token works once", async () => {
    const back = await consent();
    expect(Object.fromEntries(back)).toMatchObject({
      state: "mine",
      subdomain: "acme",
      apicp: "sf-api.com",
      appcp: "sharefile.com",
    });
    const first = await tokens(back);
    expect(first).toMatchObject({ subdomain: "acme", apicp: "sf-api.com", expires_in: 28_800 });
    const refresh = () => ask({ grant_type: "refresh_token", refresh_token: first.refresh_token });
    expect((await refresh()).status).toBe(200);
    expect([(await refresh()).status, connector.oauth2.refreshToken.rotates]).toEqual([400, true]);
  });

  it("takes the bodies that the reference shows", async () => {
    const folder = await newFolder();
    const made = await ok(
      "POST",
      `/sf/v3/Items(${folder})/Folder?overwrite=false&passthrough=false`,
      EXAMPLES.createFolder,
    );
    expect(made).toMatchObject({ Name: "Folder Name", Description: "Description" });
    const target = await newFolder();
    const updated = await ok("PATCH", `/sf/v3/Items(${made.Id})?$expand=Parent`, EXAMPLES.updateItem(target));
    // "If both Name and FileName are provided, FileName is disregarded."
    expect(updated).toMatchObject({ Id: made.Id, Name: "Name", FileName: "Name", Parent: { Id: target } });
    const specification = await ok("POST", `/sf/v3/Items(${folder})/Upload2`, EXAMPLES.upload);
    expect(specification).toMatchObject({ Method: "Standard", ChunkUri: expect.stringMatching(/^https:/) });
    const bytes = "x".repeat(EXAMPLES.upload.FileSize);
    expect(await (await fetchVendor(specification.ChunkUri, { method: "POST", body: bytes })).text()).toBe(
      "OK",
    );
    const { value } = await ok("GET", `/sf/v3/Items(${folder})/Children`);
    expect(value).toMatchObject([{ FileName: "FileName", FileSizeBytes: 2048 }]);
    const share = await ok("POST", "/sf/v3/Shares?notify=false", EXAMPLES.createShare(value[0]?.Id ?? ""));
    expect(share).toMatchObject({ ShareType: "Send", ExpirationDate: "2033-07-23", Uri: expect.any(String) });
    const search = await ok(
      "GET",
      "/sf/v3/Items/Search?query=filename&maxResults=50&skip=0&homeFolderOnly=false",
    );
    expect(search.Results).toMatchObject([{ ItemID: value[0]?.Id, ParentID: folder, ItemType: "File" }]);
    for (const path of [
      `Items(${folder})/BulkDelete?forceSync=true&deletePermanently=false`,
      "Items/BulkRestore",
    ])
      expect((await send("POST", `/sf/v3/${path}`, [value[0]?.Id])).status).toBe(204);
    expect((await ok("GET", `/sf/v3/Items(${folder})/Children`)).value).toHaveLength(1);
  });

  it("answers 302 to the bytes, or their URL where redirect is false; the URL needs no token", async () => {
    const file = await upload(await newFolder(), "a.txt", "hello");
    const moved = await send("GET", `/sf/v3/Items(${file.Id})/Download`);
    expect(moved.status).toBe(302);
    expect(await (await fetchVendor(moved.headers.get("location") ?? "")).text()).toBe("hello");
    const told = await ok("GET", `/sf/v3/Items(${file.Id})/Download?redirect=false`);
    expect(await (await fetchVendor(String(told.DownloadUrl))).text()).toBe("hello");
  });

  it("gives each version of a file an id of its own, and all of them one stream", async () => {
    const folder = await newFolder();
    const [first, second] = [
      await upload(folder, "a.txt", "1"),
      await upload(folder, "a.txt", "22", { Overwrite: true }),
    ];
    expect(second.Id).not.toBe(first.Id);
    expect(second.StreamID).toBe(first.StreamID);
    const { value } = await ok("GET", `/sf/v3/Items(${second.StreamID})/Stream`);
    expect(value.map(({ Id }) => Id)).toEqual([first.Id, second.Id]);
    expect((await ok("GET", `/sf/v3/Items(${second.Id})/Stream`)).value).toEqual([]);
    // Without Overwrite both files stay.
    const beside = await upload(folder, "A.txt", "3");
    expect(beside.Name).toBe("A (1).txt");
  });

  it.each([
    ["an unknown id", "GET", "/sf/v3/Items(fo123)", undefined, 404, "NotFound"],
    ["a taken name", "POST", "/sf/v3/Items(home)/Folder", { Name: "Documents" }, 409, "Conflict"],
    ["a name that no item can have", "POST", "/sf/v3/Items(home)/Folder", { Name: "a?b" }, 400, "BadRequest"],
    ["an unknown member", "POST", "/sf/v3/Items(home)/Folder", { name: "x" }, 400, "BadRequest"],
    ["an unknown parameter", "GET", "/sf/v3/Items?depth=2", undefined, 400, "BadRequest"],
    ["an unknown property", "GET", "/sf/v3/Items?$select=Nothing", undefined, 400, "BadRequest"],
    [
      "a property of what is not expanded",
      "GET",
      "/sf/v3/Items?$select=Parent/Id",
      undefined,
      400,
      "BadRequest",
    ],
    [
      "parameters in lower case",
      "POST",
      "/sf/v3/Items(home)/Upload2",
      { method: "standard" },
      400,
      "BadRequest",
    ],
    ["an unknown call", "GET", "/sf/v3/Nothing", undefined, 404, "NotFound"],
  ] as const)("refuses %s as the reference says", async (_, method, path, body, status, code) => {
    const answer = await send(method, path, body);
    const told = (await answer.json()) as typeof REFUSAL;
    expect([answer.status, told.code]).toEqual([status, code]);
    expect(told.message).toEqual({ lang: "en-US", value: expect.any(String) });
    expect(Object.keys(told)).toEqual(expect.arrayContaining(Object.keys(REFUSAL)));
  });

  it("replaces a file in the old folder when an item is renamed and moved in one call, as ShareFile does", async () => {
    const [from, to] = [await newFolder(), await newFolder()];
    const item = await upload(from, "a.txt", "a");
    await upload(from, "b.txt", "b");
    await ok("PATCH", `/sf/v3/Items(${item.Id})?overwrite=false`, { Name: "b.txt", Parent: { Id: to } });
    expect((await ok("GET", `/sf/v3/Items(${from})/Children`)).value).toEqual([]);
  });
});

/** Every request of the module, held against the reference. */
const sent: { readonly method: string; readonly url: URL; readonly json: unknown }[] = [];

/** Calls the stand-in as the hub does, without the grant's machinery. */
const call: VendorCall = {
  instance: { configuration: {}, told: async () => ({}) },
  async json<T>({ json, ...request }: CallRequest & { json?: unknown }): Promise<T> {
    const answer = await pass(request, json === undefined ? request.body : JSON.stringify(json), json);
    return (await answer.json()) as T;
  },
  async open(request) {
    const answer = await pass(request, request.body, undefined);
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: answer,
    } as unknown as VendorResponse;
  },
  async expectOk(request) {
    await pass(request, request.body, undefined);
  },
};

async function pass(
  { method, url, headers = [], presigned }: CallRequest,
  body: CallRequest["body"],
  json: unknown,
): Promise<Response> {
  const at = new URL(url, API);
  if (!presigned)
    sent.push({ method, url: at, json: json ?? (typeof body === "string" ? JSON.parse(body) : undefined) });
  const answer = await fetchVendor(at, {
    method,
    headers: {
      ...Object.fromEntries(headers),
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      ...(presigned ? {} : { Authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: body as string }),
  });
  if (answer.status === 302) return await fetchVendor(answer.headers.get("location") ?? "");
  if (answer.ok) return answer;
  const refusal = sharefile.refusal(answer.status, await answer.json(), {});
  throw new LinkspanError(answer.status, refusal === "conflict" ? "conflict" : "vendor_refused", "refused");
}

function problemOf({ method, url, json }: (typeof sent)[number]): string | undefined {
  const documented = DOCUMENTED.find(
    (each) => each.method === method && matchPath(pathTemplate(each.path), url.pathname) !== undefined,
  );
  if (documented === undefined) return `${method} ${url.pathname} is no call of the reference`;
  const unknown = [...url.searchParams.keys()].find(
    (name) => ![...documented.query, ...ODATA].includes(name),
  );
  if (unknown !== undefined) return `${documented.title} has no parameter ${unknown}`;
  return problemOfBody(documented, json);
}

function problemOfBody({ title, body }: DocumentedCall, json: unknown): string | undefined {
  if (body === undefined) return json === undefined ? undefined : `${title} has no body`;
  if (body === "list") return Array.isArray(json) ? undefined : `${title} takes a list`;
  const unknown = Object.keys(json ?? {}).find((name) => !body.includes(name));
  return unknown === undefined ? undefined : `${title} has no member ${unknown}`;
}

describe("the hub's module for ShareFile", () => {
  let home: DocumentsItem;
  let nth = 0;
  const text = (content: string, overwrite = false) => ({
    bytes: Buffer.from(content),
    mimeType: "text/plain",
    overwrite,
    details: {},
  });
  const at = (folder: DocumentsItem, name: string, existing?: DocumentsItem): Target => ({
    path: `/x/${name}`,
    name,
    parent: folder.reference,
    ...(existing === undefined ? {} : { existing }),
  });
  const contentOf = async (file: DocumentsItem): Promise<string> => {
    const { response } = await sharefile.download(call, { reference: file.reference }, {});
    return await (response.body as unknown as Response).text();
  };
  const namesIn = async (folder: DocumentsItem): Promise<string[]> =>
    (await sharefile.list(call, folder.reference, { limit: 500 })).items.map(({ name }) => name);
  const folderNamed = (name: string, below = home) => sharefile.createFolder(call, at(below, name), {});

  beforeEach(async () => {
    home = await folderNamed(`hub ${++nth}`, await sharefile.root(call));
  });

  it("sends only what the reference knows, in every call", async () => {
    sent.length = 0;
    const file = await sharefile.upload(call, at(home, "a.txt"), text("1"));
    const newer = await sharefile.upload(call, at(home, "a.txt", file), text("22", true));
    expect([newer.refId, await contentOf(newer)]).toEqual([file.refId, "22"]);
    await sharefile.describe?.(call, newer, { description: "what it is" });
    const other = await folderNamed("other");
    const copied = (await sharefile.copyFile(call, newer, at(other, "b.txt"))) as DocumentsItem;
    const moved = await sharefile.move(call, copied, at(home, "c.txt"));
    expect(await namesIn(home)).toEqual(["other", "a.txt", "c.txt"]);
    expect((await sharefile.revisions?.(call, newer))?.map(({ size }) => size)).toEqual([2, 1]);
    expect((await sharefile.get(call, newer.refId ?? "")).id).toBe(newer.id);
    expect((await sharefile.byPath?.(call, `/${home.name}/C.TXT`))?.id).toBe(moved.id);
    const found = await sharefile.search?.(call, { text: "c.txt", folder: home }, { limit: 10 });
    expect(found?.items.map(({ id }) => id)).toEqual([moved.id]);
    await sharefile.search?.(call, { text: "c.txt" }, { limit: 10 });
    const link = await sharefile.links?.(call, moved);
    expect(await sharefile.links?.(call, moved)).toEqual({ ...link, raw: expect.anything() });
    await sharefile.removeLinks?.(call, moved);
    expect((await sharefile.links?.(call, moved))?.providerViewLink).not.toBe(link?.providerViewLink);
    await sharefile.remove(call, moved, { forGood: false });
    await sharefile.restore?.(call, moved);
    await sharefile.remove(call, moved, { forGood: true });
    expect(await namesIn(home)).toEqual(["other", "a.txt"]);
    await sharefile.storage?.(call);
    await sharefile.account(call);
    await sharefile.get(call, "allshared");
    expect(sent.length).toBeGreaterThan(20);
    expect(sent.map(problemOf).filter((problem) => problem !== undefined)).toEqual([]);
  });

  it.each([
    ["nothing is in the way", [], []],
    ["the old folder has a file of the new name", ["b.txt"], []],
    ["the new folder has a file of the old name", [], ["a.txt"]],
    ["both names are taken in the other folder", ["b.txt"], ["a.txt"]],
  ])("moves and renames without touching another file when %s", async (_, inOld, inNew) => {
    const [from, to] = [await folderNamed("from"), await folderNamed("to")];
    const item = await sharefile.upload(call, at(from, "a.txt"), text("moved"));
    for (const name of inOld) await sharefile.upload(call, at(from, name), text("stays"));
    for (const name of inNew) await sharefile.upload(call, at(to, name), text("stays"));
    const moved = await sharefile.move(call, item, at(to, "b.txt"));
    expect(moved).toMatchObject({ id: item.id, name: "b.txt", parentId: to.id });
    expect(await contentOf(moved)).toBe("moved");
    expect([await namesIn(from), await namesIn(to)]).toEqual([inOld, [...inNew, "b.txt"]]);
  });

  it("gets its old name back if it cannot be moved, where both names are taken in the other folder", async () => {
    const [from, to] = [await folderNamed("from"), await folderNamed("to")];
    const item = await sharefile.upload(call, at(from, "a.txt"), text("1"));
    await sharefile.upload(call, at(from, "b.txt"), text("2"));
    await sharefile.upload(call, at(to, "a.txt"), text("3"));
    const path = `/sf/v3/Items(${item.id})`;
    standIn.fail({ path, count: 1, delayMs: 0 });
    standIn.fail({ path, count: 1, status: 503 });
    await expect(sharefile.move(call, item, at(to, "b.txt"))).rejects.toThrowError(LinkspanError);
    standIn.clearFaults();
    expect([await namesIn(from), await namesIn(to)]).toEqual([["a.txt", "b.txt"], ["a.txt"]]);
  });

  it.each([
    ["in the same folder", true, []],
    ["in a folder that has a file of its name", false, ["a.txt"]],
    ["in an empty folder", false, []],
  ])("copies a file to another name %s, also when the vendor takes its time", async (_, isSame, there) => {
    for (const operationMs of [0, 1]) {
      standIn.switches.set({ operationMs });
      const from = await folderNamed(`from ${operationMs}`);
      const to = isSame ? from : await folderNamed(`to ${operationMs}`);
      const item = await sharefile.upload(call, at(from, "a.txt"), text("copied"));
      for (const name of there) await sharefile.upload(call, at(to, name), text("stays"));
      let outcome = await sharefile.copyFile(call, item, at(to, "b.txt"));
      for (let asked = 0; "pending" in outcome && asked < 500; asked++) {
        const done = await sharefile.poll?.(call, outcome);
        if (done?.reference !== undefined) outcome = await sharefile.get(call, done.reference);
      }
      expect(outcome).toMatchObject({ name: "b.txt", parentId: to.id });
      expect(await contentOf(outcome as DocumentsItem)).toBe("copied");
      expect(await namesIn(to)).toEqual(isSame ? ["a.txt", "b.txt"] : [...there, "b.txt"]);
    }
  });

  it("refuses a new file where one of its name has come in between, which ShareFile would keep beside it", async () => {
    await sharefile.upload(call, at(home, "a.txt"), text("1"));
    await expect(sharefile.upload(call, at(home, "a.txt"), text("2"))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await namesIn(home)).toEqual(["a.txt"]);
  });

  it("says what ShareFile says of bytes that it does not take", async () => {
    const lying: VendorCall = {
      ...call,
      json: <T>(request: CallRequest & { json?: unknown }) =>
        call.json<T>(
          request.json === undefined
            ? request
            : { ...request, json: { ...(request.json as object), FileSize: 1 } },
        ),
    };
    await expect(sharefile.upload(lying, at(home, "a.txt"), text("22"))).rejects.toThrowError(
      "ShareFile did not take the file: file size does not match",
    );
  });

  it("reads all parts of a list, whatever their size", async () => {
    for (const name of ["1", "2", "3", "4", "5"]) await folderNamed(name);
    standIn.switches.set({ pages: "short" });
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const part = await sharefile.list(call, home.reference, { limit: 500, ...(cursor && { cursor }) });
      names.push(...part.items.map(({ name }) => name));
      cursor = part.cursor;
    } while (cursor !== undefined);
    expect(names).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("shows what others share below /Shared Folders, and finds it there", async () => {
    const { folder, file } = standIn.places.addSharedFolder?.(LOGIN, "Team", "plan.txt") ?? {
      folder: "",
      file: "",
    };
    expect(await sharefile.get(call, folder)).toMatchObject({ name: "Team", parentId: "allshared" });
    expect(await sharefile.get(call, file)).toMatchObject({ name: "plan.txt", parentId: folder });
    expect((await sharefile.child(call, "allshared", "team"))?.id).toBe(folder);
    expect((await sharefile.child(call, "allshared", `Team [${folder}]`))?.id).toBe(folder);
    expect(await sharefile.child(call, "allshared", "Team [fo0]")).toBeUndefined();
    expect((await sharefile.list(call, "allshared", { limit: 10 })).items.map(({ id }) => id)).toContain(
      folder,
    );
  });

  it("takes ids once percent-encoded, and none that could be another call", () => {
    expect([sharefile.openId("root"), sharefile.openId("fi12%2d3")]).toEqual(["home", "fi12-3"]);
    for (const id of ["a)/Delete", "a/b", "..", "", "%28", "a%29"])
      expect(() => sharefile.openId(id)).toThrowError(LinkspanError);
  });

  it.each([
    "a?b",
    "a/b",
    "a:b",
    'a"b',
    "a\\b",
    "a|b",
    "a<b",
    " a",
    "a ",
    ".a",
    "a.",
    "a\u0001",
    "x".repeat(257),
  ])("refuses the name %j", (name) => {
    expect(sharefile.names?.refuse?.(name)).toMatch(/^ShareFile allows/);
  });
});
