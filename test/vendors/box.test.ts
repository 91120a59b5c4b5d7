import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { BoxClient, BoxOAuth, OAuthConfig } from "box-node-sdk";
import { FetchOptions, type Interceptor, NetworkSession } from "box-node-sdk/networking";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import { startBox } from "../../local/vendors/box/stand-in.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { APP, allow, REDIRECT_URI } from "./connect.ts";

/** The official SDK, unmodified, against the stand-in: an interceptor sends the vendor's URLs to another address. */
describe("the official Box SDK against the stand-in", () => {
  let clock: Clock;
  let standIn: StandIn;
  let auth: BoxOAuth;
  let box: BoxClient;
  /** Id of a new folder for each test. */
  let folder: string;
  let count = 0;

  const interceptor = (): Interceptor => ({
    beforeRequest(options) {
      const url = new URL(options.url);
      if (url.origin === standIn.origin) return options;
      if (!standIn.hosts.includes(url.host)) throw new TypeError(`the SDK went to ${url.host}`);
      return new FetchOptions({
        ...options,
        url: `${standIn.origin}${url.pathname}${url.search}`,
        headers: { ...options.headers, Host: url.host },
      });
    },
    afterRequest: (response) => response,
  });
  const session = () => new NetworkSession({}).withInterceptors([interceptor()]);
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => {
        throw new Error("an answer");
      },
      (error: { responseInfo?: { statusCode: number; code?: string; contextInfo?: unknown } }) => ({
        status: error.responseInfo?.statusCode,
        // The SDK keeps the code as JSON.
        code: error.responseInfo?.code?.replaceAll('"', ""),
        context: error.responseInfo?.contextInfo,
      }),
    );
  const upload = async (name: string, content: string, parent = folder) => {
    const { entries = [] } = await box.uploads.uploadFile({
      attributes: { name, parent: { id: parent } },
      file: Readable.from(Buffer.from(content)),
    });
    return entries[0]?.id ?? "";
  };
  const download = async (id: string, range?: string): Promise<string> => {
    const stream = await box.downloads.downloadFile(id, {
      ...(range === undefined ? {} : { headers: { range } }),
    });
    return text(stream as Readable);
  };

  beforeAll(async () => {
    clock = systemClock();
    standIn = await startBox({ clock, app: APP });
    auth = new BoxOAuth({
      config: new OAuthConfig({ clientId: APP.clientId, clientSecret: APP.clientSecret }),
    });
    const url = auth.getAuthorizeUrl({ redirectUri: REDIRECT_URI, state: "s" });
    const code = (await allow(standIn, url)).get("code") ?? "";
    await auth.getTokensAuthorizationCodeGrant(code, session());
    box = new BoxClient({ auth, networkSession: session() });
  });
  afterAll(() => standIn?.close());
  beforeEach(async () => {
    standIn.switches.reset();
    const made = await box.folders.createFolder({ name: `test ${++count}`, parent: { id: "0" } });
    folder = made.id;
  });

  it("connects, tells the account, and refreshes with each refresh token once", async () => {
    const me = await box.users.getUserMe();
    expect([me.login, me.spaceAmount]).toEqual(["ada@example.com", 10 * 1024 ** 3]);
    const before = await auth.tokenStorage.get();
    const after = await auth.refreshToken(session());
    expect(after.refreshToken).not.toBe(before?.refreshToken);
    await auth.tokenStorage.store({ ...before });
    expect(await failure(auth.refreshToken(session()))).toMatchObject({ status: 400 });
    await auth.tokenStorage.store(after);
    expect((await box.users.getUserMe()).login).toBe("ada@example.com");
  });

  it("refreshes by itself when the access token has expired", async () => {
    standIn.expireAccessTokens();
    expect((await box.users.getUserMe()).login).toBe("ada@example.com");
  });

  it("uploads, downloads whole and in part, and keeps versions", async () => {
    const id = await upload("a.txt", "first");
    await box.uploads.uploadFileVersion(id, {
      attributes: { name: "a.txt" },
      file: Readable.from(Buffer.from("second")),
    });
    expect(await download(id)).toBe("second");
    expect(await download(id, "bytes=1-3")).toBe("eco");
    const { entries = [], totalCount } = await box.fileVersions.getFileVersions(id);
    expect([totalCount, entries[0]?.size]).toEqual([1, 5]);
    expect(entries[0]?.sha1).toBe(createHash("sha1").update("first").digest("hex"));
    const versionId = entries[0]?.id ?? "";
    const old = await box.downloads.downloadFile(id, { queryParams: { version: versionId } });
    expect(await text(old as Readable)).toBe("first");
  });

  it("refuses a taken name with the item that has it, before the bytes if asked", async () => {
    const id = await upload("A.txt", "x");
    const refused = await failure(upload("a.TXT", "y"));
    expect(refused).toMatchObject({ status: 409, code: "item_name_in_use" });
    expect(refused.context).toMatchObject({ conflicts: { id, type: "file" } });
    const check = { name: "a.txt", size: 3, parent: { id: folder } };
    expect(await failure(box.uploads.preflightFileUploadCheck(check))).toMatchObject({ status: 409 });
    const again = await failure(box.folders.createFolder({ name: `test ${count}`, parent: { id: "0" } }));
    expect(again.context).toMatchObject({ conflicts: [{ id: folder, type: "folder" }] });
  });

  it("lists by offset and by marker", async () => {
    for (const name of ["3", "1", "2"]) await upload(name, name);
    const first = await box.folders.getFolderItems(folder, { queryParams: { limit: 2, fields: ["name"] } });
    expect(first.totalCount).toBe(3);
    expect(first.entries?.map((entry) => entry.name)).toEqual(["1", "2"]);
    standIn.switches.set({ pages: "empty" });
    const names: (string | undefined)[] = [];
    let marker: string | undefined;
    for (let turn = 0; turn < 10; turn++) {
      const queryParams = { usemarker: true, ...(marker === undefined ? {} : { marker }) };
      const page = await box.folders.getFolderItems(folder, { queryParams });
      names.push(...(page.entries ?? []).map((entry) => entry.name));
      marker = page.nextMarker ?? undefined;
      if (marker === undefined) break;
    }
    expect(names).toEqual(["1", "2", "3"]);
  });

  it("moves, renames, describes and tags", async () => {
    const id = await upload("a.txt", "x");
    const inner = await box.folders.createFolder({ name: "inner", parent: { id: folder } });
    const requestBody = { name: "b.txt", parent: { id: inner.id }, description: "d", tags: ["one", "two"] };
    await box.files.updateFileById(id, { requestBody });
    const file = await box.files.getFileById(id, {
      queryParams: { fields: ["tags", "path_collection", "name"] },
    });
    expect([file.name, file.tags]).toEqual(["b.txt", ["one", "two"]]);
    expect(file.pathCollection?.entries.map((each) => each.name)).toEqual([
      "All Files",
      `test ${count}`,
      "inner",
    ]);
    const into = box.folders.updateFolderById(folder, { requestBody: { parent: { id: inner.id } } });
    expect(await failure(into)).toMatchObject({ status: 400, code: "cyclical_folder_structure" });
  });

  it("copies folders, deletes them with their content only if asked, and restores files", async () => {
    const id = await upload("a.txt", "x");
    const copy = await box.folders.copyFolder(folder, { parent: { id: "0" }, name: `copy ${count}` });
    const { entries = [] } = await box.folders.getFolderItems(copy.id);
    expect(entries.map((entry) => entry.name)).toEqual(["a.txt"]);
    expect(entries[0]?.id).not.toBe(id);
    const unasked = await failure(box.folders.deleteFolderById(copy.id));
    expect(unasked).toMatchObject({ status: 400 });
    await box.folders.deleteFolderById(copy.id, { queryParams: { recursive: true } });
    await box.files.deleteFileById(id);
    expect(await failure(box.files.getFileById(id))).toMatchObject({ status: 404, code: "trashed" });
    await box.trashedFiles.restoreFileFromTrash(id);
    expect((await box.files.getFileById(id)).name).toBe("a.txt");
  });

  it("shares by links for everybody, and stops it", async () => {
    const id = await upload("shared.txt", "bytes");
    const link = { sharedLink: { access: "open" as const } };
    const fields = { fields: "shared_link" };
    const { sharedLink } = await box.sharedLinksFiles.addShareLinkToFile(id, link, fields);
    expect(await (await fetch(sharedLink?.downloadUrl ?? "")).text()).toBe("bytes");
    expect((await fetch(sharedLink?.url ?? "")).status).toBe(200);
    const removal = { sharedLink: null } as unknown as Parameters<
      typeof box.sharedLinksFiles.removeSharedLinkFromFile
    >[1];
    await box.sharedLinksFiles.removeSharedLinkFromFile(id, removal, fields);
    expect((await fetch(sharedLink?.downloadUrl ?? "")).status).toBe(404);
  });

  it("finds words in a folder, late if it is slow", async () => {
    const id = await upload("Bernoulli numbers.csv", "n");
    const find = async (query: string) => {
      const found: object = await box.search.searchForContent({ query, ancestorFolderIds: [folder] });
      const { entries = [] } = found as { readonly entries?: readonly { readonly id: string }[] };
      return entries.map((entry) => entry.id);
    };
    expect(await find("bern")).toEqual([id]);
    expect(await find("noulli")).toEqual([]);
    standIn.switches.set({ searchLagMs: 60_000 });
    expect(await find("bernoulli")).toEqual([]);
  });

  it("shows web links in folders", async () => {
    const parent = { id: folder };
    await box.webLinks.createWebLink({ url: "https://example.com/", parent, name: "A link" });
    const { entries = [] } = await box.folders.getFolderItems(folder);
    expect(entries.map((entry) => [entry.type, entry.name])).toEqual([["web_link", "A link"]]);
  });

  it("refuses names that Box refuses", async () => {
    for (const name of ["a/b", "a\\b", "a ", ".", "..", "\u0007"]) {
      expect(await failure(upload(name, "x"))).toMatchObject({ status: 400, code: "item_name_invalid" });
    }
    expect(await failure(upload("n".repeat(256), "x"))).toMatchObject({ code: "item_name_too_long" });
  });
});
