import { Dropbox, DropboxAuth, DropboxResponseError, type files } from "dropbox";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import { startDropbox } from "../../local/vendors/dropbox/stand-in.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { APP, allow, REDIRECT_URI } from "./connect.ts";
import { vendorFetch } from "./vendor-fetch.ts";

/** The official SDK, unmodified, against the stand-in: only its `fetch` sends the vendor's URLs to another address. */
describe("the official Dropbox SDK against the stand-in", () => {
  let clock: Clock;
  let standIn: StandIn;
  let auth: DropboxAuth;
  let dropbox: Dropbox;

  const connect = async (login: string): Promise<DropboxAuth> => {
    const made = new DropboxAuth({ ...APP, fetch: vendorFetch(standIn) });
    const scopes: string[] | undefined = undefined;
    const url = await made.getAuthenticationUrl(
      encodeURIComponent(REDIRECT_URI),
      "s",
      "code",
      "offline",
      scopes,
    );
    const code = (await allow(standIn, String(url), login)).get("code") ?? "";
    const { result } = await made.getAccessTokenFromCode(encodeURIComponent(REDIRECT_URI), code);
    const tokens = result as { access_token: string; refresh_token: string; expires_in: number };
    made.setAccessToken(tokens.access_token);
    made.setRefreshToken(tokens.refresh_token);
    made.setAccessTokenExpiresAt(new Date(Date.now() + tokens.expires_in * 1000));
    return made;
  };
  const errorOf = async (call: Promise<unknown>): Promise<{ status: number; error: unknown }> => {
    const error = await call.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (!(error instanceof DropboxResponseError)) throw new Error(`no Dropbox error but ${String(error)}`);
    return { status: error.status, error: error.error };
  };
  const summaryOf = async (call: Promise<unknown>) => {
    const { status, error } = await errorOf(call);
    return `${status} ${(error as { error_summary: string }).error_summary.replace(/\/\.*$/, "")}`;
  };
  const upload = async (path: string, contents: string, more: Partial<files.UploadArg> = {}) =>
    (await dropbox.filesUpload({ path, contents, ...more })).result;
  const download = async (path: string) => {
    const { result } = await dropbox.filesDownload({ path });
    return Buffer.from(result.fileBinary ?? []).toString();
  };
  const names = async (path: string) =>
    (await dropbox.filesListFolder({ path })).result.entries.map((entry) => entry.name).sort();

  beforeAll(async () => {
    clock = systemClock();
    standIn = await startDropbox({ clock, app: APP });
    auth = await connect("ada@example.com");
    dropbox = new Dropbox({ auth });
  });
  afterAll(() => standIn.close());
  beforeEach(async () => {
    await dropbox.filesDeleteV2({ path: "/t" }).catch(() => undefined);
    await dropbox.filesCreateFolderV2({ path: "/t" });
  });

  it("gets the account and its used space", async () => {
    const { result } = await dropbox.usersGetCurrentAccount();
    expect(result.email).toBe("ada@example.com");
    expect(result.name.display_name).toBe("Ada Lovelace");
    expect(result.account_id).toMatch(/^dbid:.{35}$/);
    const before = (await dropbox.usersGetSpaceUsage()).result;
    await upload("/t/five.txt", "12345");
    const after = (await dropbox.usersGetSpaceUsage()).result;
    expect(after.used - before.used).toBe(5);
    expect(after.allocation).toEqual({ ".tag": "individual", allocated: 2 * 1024 ** 3 });
    expect((await dropbox.checkUser({ query: "hello" })).result.result).toBe("hello");
  });

  it("lists Ada's demo files, also those with unusual names", async () => {
    expect(await names("")).toEqual(
      expect.arrayContaining(["Welcome.txt", "Documents", "Pictures", "Empty folder"]),
    );
    const odd = await names("/odd NAMES");
    expect(odd).toEqual(["50% + tax & more #1?.txt", 'O\'Brien said "hello".txt', "Übergröße – 日本語.txt"]);
    for (const name of odd) expect(await download(`/Odd names/${name}`)).not.toBe("");
    expect((await download("/Documents/Letters/To Charles Babbage.pdf")).startsWith("%PDF-1.4")).toBe(true);
  });

  it("lists in pages without gap or overlap, also when files are added and deleted between the pages", async () => {
    for (let index = 0; index < 7; index++) await upload(`/t/file ${index}.txt`, String(index));
    let page = (await dropbox.filesListFolder({ path: "/t", limit: 3 })).result;
    const seen = page.entries.map((entry) => entry.name);
    await upload("/t/a new one.txt", "new");
    await dropbox.filesDeleteV2({ path: "/t/file 6.txt" });
    const rounds = [page.entries.length];
    while (page.has_more) {
      page = (await dropbox.filesListFolderContinue({ cursor: page.cursor })).result;
      rounds.push(page.entries.length);
      seen.push(...page.entries.map((entry) => entry.name));
    }
    expect(rounds).toEqual([3, 3]);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5].map((index) => `file ${index}.txt`));
    const changes = (await dropbox.filesListFolderContinue({ cursor: page.cursor })).result;
    expect(changes.entries.map((entry) => [entry[".tag"], entry.name])).toEqual([
      ["file", "a new one.txt"],
      ["deleted", "file 6.txt"],
    ]);
    expect(changes.has_more).toBe(false);
  });

  it("waits for changes after a cursor", async () => {
    const { cursor } = (await dropbox.filesListFolder({ path: "/t" })).result;
    const waiting = dropbox.filesListFolderLongpoll({ cursor });
    await upload("/t/new.txt", "new");
    expect((await waiting).result).toEqual({ changes: true });
    expect((await dropbox.filesListFolderLongpoll({ cursor })).result.changes).toBe(true);
  });

  it("lists recursively, and gets an error for an invalid cursor or path", async () => {
    await upload("/t/a/b/c.txt", "deep");
    const { result } = await dropbox.filesListFolder({ path: "/t", recursive: true });
    expect(result.entries.map((entry) => entry.path_display)).toEqual([
      "/t",
      "/t/a",
      "/t/a/b",
      "/t/a/b/c.txt",
    ]);
    expect((await errorOf(dropbox.filesListFolderContinue({ cursor: "made-up" }))).status).toBe(400);
    expect(await summaryOf(dropbox.filesListFolder({ path: "/t/none" }))).toBe("409 path/not_found");
    expect(await summaryOf(dropbox.filesListFolder({ path: "/t/a/b/c.txt" }))).toBe("409 path/not_folder");
    const { status, error } = await errorOf(dropbox.filesListFolder({ path: "/" }));
    expect(status).toBe(400);
    expect(error).toContain("Specify the root folder as an empty string");
    expect((await errorOf(dropbox.filesGetMetadata({ path: "" }))).error).toContain(
      "root folder is unsupported",
    );
  });

  it("uploads a file, which creates missing folders, and downloads the same bytes", async () => {
    const uploaded = await upload("/t/New Folder/Ünïcode ☂ '\"#?%&+.txt", "héllo");
    expect(uploaded).toMatchObject({ name: "Ünïcode ☂ '\"#?%&+.txt", size: 6 });
    expect(uploaded.rev).toMatch(/^[0-9a-f]{9,}$/);
    expect(uploaded.path_lower).toBe("/t/new folder/ünïcode ☂ '\"#?%&+.txt");
    const { result } = await dropbox.filesDownload({ path: "/T/NEW FOLDER/ünïcode ☂ '\"#?%&+.TXT" });
    expect(Buffer.from(result.fileBinary ?? []).toString()).toBe("héllo");
    expect(result).toMatchObject({ id: uploaded.id, rev: uploaded.rev, content_hash: uploaded.content_hash });
    expect(await download(uploaded.id)).toBe("héllo");
    expect(await download(`rev:${uploaded.rev}`)).toBe("héllo");
  });

  it("has the same content hashes as the stand-in", async () => {
    const contents = Buffer.alloc(9 * 1024 * 1024, "Linkspan");
    // The SDK sends its own hash, and the stand-in refuses a wrong one.
    const { result } = await dropbox.filesUpload({ path: "/t/large.bin", contents });
    expect(result.size).toBe(contents.length);
    const wrong = dropbox.filesUpload({ path: "/t/wrong.bin", contents, content_hash: "0".repeat(64) });
    expect(await summaryOf(wrong)).toBe("409 content_hash_mismatch");
  });

  it("can use each write mode", async () => {
    const first = await upload("/t/a.txt", "one");
    expect((await upload("/t/A.TXT", "one")).rev).toBe(first.rev);
    expect(await summaryOf(upload("/t/a.txt", "two"))).toBe("409 path/conflict/file");
    expect(await summaryOf(upload("/t/a.txt", "one", { strict_conflict: true }))).toBe(
      "409 path/conflict/file",
    );
    expect((await upload("/t/a.txt", "two", { autorename: true })).name).toBe("a (1).txt");
    const second = await upload("/t/a.txt", "two", { mode: { ".tag": "overwrite" } });
    expect(second.id).toBe(first.id);
    const stale = upload("/t/a.txt", "three", { mode: { ".tag": "update", update: first.rev } });
    expect(await summaryOf(stale)).toBe("409 path/conflict/file");
    await upload("/t/a.txt", "three", { mode: { ".tag": "update", update: second.rev } });
    expect(await download("/t/a.txt")).toBe("three");
    await dropbox.filesCreateFolderV2({ path: "/t/folder" });
    expect(await summaryOf(upload("/t/folder", "x"))).toBe("409 path/conflict/folder");
    expect(await summaryOf(upload("/t/a.txt/b.txt", "x"))).toBe("409 path/conflict/file_ancestor");
    expect(await summaryOf(upload("/t/", "x"))).toBe("409 path/malformed_path");
    expect(await summaryOf(upload("/t/.DS_Store", "x"))).toBe("409 path/disallowed_name");
    expect((await errorOf(upload("t.txt", "x"))).status).toBe(400);
  });

  it("lists revisions, newest first, and restores one", async () => {
    const first = await upload("/t/r.txt", "one", { client_modified: "2020-01-02T03:04:05Z" });
    await upload("/t/r.txt", "two", { mode: { ".tag": "overwrite" } });
    const { result } = await dropbox.filesListRevisions({ path: "/t/r.txt" });
    expect(result.is_deleted).toBe(false);
    expect(result.entries.map((entry) => entry.size)).toEqual([3, 3]);
    expect(result.entries[1]).toMatchObject({ rev: first.rev, client_modified: "2020-01-02T03:04:05Z" });
    const older = await dropbox.filesListRevisions({
      path: "/t/r.txt",
      before_rev: result.entries[0]?.rev ?? "",
    });
    expect(older.result.entries.map((entry) => entry.rev)).toEqual([first.rev]);
    await dropbox.filesDeleteV2({ path: "/t/r.txt" });
    expect((await dropbox.filesListRevisions({ path: "/t/r.txt" })).result.is_deleted).toBe(true);
    await dropbox.filesRestore({ path: "/t/r.txt", rev: first.rev });
    expect(await download("/t/r.txt")).toBe("one");
  });

  it("moves and copies files and folders; a move keeps the ids", async () => {
    const file = await upload("/t/from/a.txt", "a");
    const moved = await dropbox.filesMoveV2({ from_path: "/t/from/a.txt", to_path: "/t/to/b.txt" });
    expect(moved.result.metadata).toMatchObject({ ".tag": "file", id: file.id, path_display: "/t/to/b.txt" });
    expect(await summaryOf(dropbox.filesGetMetadata({ path: "/t/from/a.txt" }))).toBe("409 path/not_found");
    expect((await dropbox.filesGetMetadata({ path: file.id })).result.path_lower).toBe("/t/to/b.txt");
    const copied = await dropbox.filesCopyV2({ from_path: "/t/to", to_path: "/t/copy" });
    expect(copied.result.metadata[".tag"]).toBe("folder");
    const inCopy = (await dropbox.filesGetMetadata({ path: "/t/copy/b.txt" }))
      .result as files.FileMetadataReference;
    expect(inCopy.id).not.toBe(file.id);
    const ontoSelf = dropbox.filesMoveV2({ from_path: "/t/to", to_path: "/t/copy" });
    expect(await summaryOf(ontoSelf)).toBe("409 to/conflict/folder");
    const inside = dropbox.filesMoveV2({ from_path: "/t/to", to_path: "/t/to/inside" });
    expect(await summaryOf(inside)).toBe("409 duplicated_or_nested_paths");
    const missing = dropbox.filesCopyV2({ from_path: "/t/none", to_path: "/t/x" });
    expect(await summaryOf(missing)).toBe("409 from_lookup/not_found");
    const renamed = await dropbox.filesMoveV2({ from_path: "/t/to", to_path: "/t/copy", autorename: true });
    expect(renamed.result.metadata.name).toBe("copy (1)");
  });

  it("creates folders, and deletes them with everything in them", async () => {
    const { result } = await dropbox.filesCreateFolderV2({ path: "/t/x/y/z" });
    expect(result.metadata.path_display).toBe("/t/x/y/z");
    expect(await summaryOf(dropbox.filesCreateFolderV2({ path: "/t/X/Y" }))).toBe("409 path/conflict/folder");
    await upload("/t/x/y/z/file.txt", "x");
    const deleted = await dropbox.filesDeleteV2({ path: "/t/x" });
    expect(deleted.result.metadata).toMatchObject({ ".tag": "folder", name: "x" });
    expect(await summaryOf(dropbox.filesGetMetadata({ path: "/t/x/y/z/file.txt" }))).toBe(
      "409 path/not_found",
    );
    expect(await summaryOf(dropbox.filesDeleteV2({ path: "/t/x" }))).toBe("409 path_lookup/not_found");
    const gone = await dropbox.filesGetMetadata({ path: "/t/x", include_deleted: true });
    expect(gone.result[".tag"]).toBe("deleted");
  });

  it("searches in names and text, in pages", async () => {
    for (let index = 0; index < 5; index++) await upload(`/t/Zebra ${index}.txt`, "stripes");
    await upload("/t/other.txt", "a zebra in the text");
    const first = (await dropbox.filesSearchV2({ query: "zebra", options: { path: "/t", max_results: 4 } }))
      .result;
    expect(first.matches).toHaveLength(4);
    const rest = (await dropbox.filesSearchContinueV2({ cursor: first.cursor ?? "" })).result;
    expect(rest.has_more).toBe(false);
    const all = [...first.matches, ...rest.matches].map(({ metadata }) =>
      metadata[".tag"] === "metadata" ? metadata.metadata.name : "",
    );
    expect(all.sort()).toEqual([...[0, 1, 2, 3, 4].map((index) => `Zebra ${index}.txt`), "other.txt"].sort());
    const byName = await dropbox.filesSearchV2({
      query: "zebra",
      options: { path: "/t", filename_only: true },
    });
    expect(byName.result.matches).toHaveLength(5);
    const nowhere = dropbox.filesSearchV2({ query: "zebra", options: { path: "/t/none" } });
    expect(await summaryOf(nowhere)).toBe("409 path/not_found");
  });

  it("uploads in sessions, and gets the right offset after a wrong one", async () => {
    const { result } = await dropbox.filesUploadSessionStart({ contents: "abc" });
    const cursor = (offset: number) => ({ session_id: result.session_id, offset });
    await dropbox.filesUploadSessionAppendV2({ cursor: cursor(3), contents: "def" });
    const wrong = await errorOf(dropbox.filesUploadSessionAppendV2({ cursor: cursor(3), contents: "x" }));
    expect(wrong).toMatchObject({
      status: 409,
      error: { error: { ".tag": "incorrect_offset", correct_offset: 6 } },
    });
    const commit = { path: "/t/session.txt" };
    await dropbox.filesUploadSessionFinish({ cursor: cursor(6), commit, contents: "ghi" });
    expect(await download("/t/session.txt")).toBe("abcdefghi");
    const late = dropbox.filesUploadSessionFinish({ cursor: cursor(9), commit, contents: "" });
    expect(await summaryOf(late)).toBe("409 lookup_failed/not_found");
  });

  it("gets temporary links, which expire, and shared links, which can be revoked", async () => {
    await upload("/t/shared file.txt", "shared");
    const { result } = await dropbox.filesGetTemporaryLink({ path: "/t/shared file.txt" });
    expect(await (await fetch(result.link)).text()).toBe("shared");
    clock.advance(4 * 3_600_000);
    expect((await fetch(result.link)).status).toBe(410);
    await auth.refreshAccessToken();

    const shared = (await dropbox.sharingCreateSharedLinkWithSettings({ path: "/t/shared file.txt" })).result;
    expect(shared).toMatchObject({ ".tag": "file", name: "shared file.txt" });
    expect((await fetch(shared.url)).headers.get("content-type")).toContain("text/html");
    const direct = await fetch(shared.url.replace("dl=0", "dl=1"));
    expect(await direct.text()).toBe("shared");
    expect(direct.headers.get("content-disposition")).toContain("attachment");
    const again = dropbox.sharingCreateSharedLinkWithSettings({ path: "/t/shared file.txt" });
    expect(await summaryOf(again)).toBe("409 shared_link_already_exists/metadata");
    const listed = (await dropbox.sharingListSharedLinks({ path: "/t/shared file.txt" })).result;
    expect(listed.links.map((link) => link.url)).toEqual([shared.url]);
    await dropbox.sharingRevokeSharedLink({ url: shared.url });
    expect((await fetch(shared.url)).status).toBe(404);
    expect((await dropbox.sharingListSharedLinks({ path: "/t/shared file.txt" })).result.links).toEqual([]);
  });

  it("shows the team space from the root of a member, and the member's folder without a root", async () => {
    standIn.addAccount({ login: "tea@example.com", name: "Tea Member", email: "tea@example.com" });
    standIn.addFile("tea@example.com", "/own.txt", "own");
    standIn.places.addTeamSpace?.("tea@example.com", "Marketing", "plan.txt");
    const memberAuth = await connect("tea@example.com");
    const home = new Dropbox({ auth: memberAuth });
    const info = (await home.usersGetCurrentAccount()).result.root_info;
    expect(info).toMatchObject({ ".tag": "team", home_path: "/Tea Member" });
    const rootedAt = (pathRoot: object) =>
      new Dropbox({ auth: memberAuth, pathRoot: JSON.stringify(pathRoot) });
    const root = rootedAt({ ".tag": "root", root: info.root_namespace_id });
    const namesIn = async (client: Dropbox, path: string, recursive = false) =>
      (await client.filesListFolder({ path, recursive })).result.entries
        .map(({ path_display: at }) => at)
        .sort();
    expect(await namesIn(root, "")).toEqual(["/Marketing", "/Tea Member"]);
    expect(await namesIn(home, "")).toEqual(["/own.txt"]);
    expect(await namesIn(home, "", true)).toEqual(["/own.txt"]);
    expect(await namesIn(rootedAt({ ".tag": "home" }), "")).toEqual(["/own.txt"]);
    const { result: uploaded } = await home.filesUpload({ path: "/ü.txt", contents: "x" });
    expect(uploaded.path_display).toBe("/ü.txt");
    const { result } = await root.filesDownload({ path: uploaded.id });
    expect(result.path_display).toBe("/Tea Member/ü.txt");
    expect((await home.filesDownload({ path: "/ü.txt" })).result.path_display).toBe("/ü.txt");
    expect(await summaryOf(home.filesGetMetadata({ path: "/Marketing" }))).toBe("409 path/not_found");
    const other = rootedAt({ ".tag": "root", root: info.home_namespace_id });
    expect(await errorOf(other.filesListFolder({ path: "" }))).toMatchObject({
      status: 422,
      error: { error: { ".tag": "invalid_root", invalid_root: info } },
    });
    const closed = rootedAt({ ".tag": "namespace_id", namespace_id: "12" });
    expect(await summaryOf(closed.filesListFolder({ path: "" }))).toBe("422 no_permission");
    expect((await home.usersGetSpaceUsage()).result.allocation[".tag"]).toBe("team");
  });

  it("exports a document that has no bytes", async () => {
    const id = standIn.places.addDocument?.("ada@example.com", "Notes", "what was said") ?? "";
    const metadata = (await dropbox.filesGetMetadata({ path: id })).result as files.FileMetadataReference;
    expect(metadata).toMatchObject({ name: "Notes.paper", is_downloadable: false });
    expect(metadata.export_info).toEqual({ export_as: "markdown", export_options: ["html", "plain_text"] });
    expect(await summaryOf(dropbox.filesDownload({ path: id }))).toBe("409 unsupported_file");
    const { result } = await dropbox.filesExport({ path: id, export_format: "html" });
    const { fileBinary } = result as typeof result & { fileBinary?: Uint8Array };
    expect([result.export_metadata.name, Buffer.from(fileBinary ?? []).toString()]).toEqual([
      "Notes.html",
      "<p>what was said</p>",
    ]);
    const wrong = dropbox.filesExport({ path: id, export_format: "flac" });
    expect(await summaryOf(wrong)).toBe("409 invalid_export_format");
    expect(await summaryOf(dropbox.filesExport({ path: "/Welcome.txt" }))).toBe("409 non_exportable");
  });

  it("cannot see another account's files", async () => {
    const grace = new Dropbox({ auth: await connect("grace@example.com") });
    const own = (await grace.filesListFolder({ path: "" })).result.entries.map((entry) => entry.name);
    expect(own.sort()).toEqual(["Compilers", "First bug.txt"]);
    const mine = await upload("/t/mine.txt", "mine");
    expect(await summaryOf(grace.filesGetMetadata({ path: mine.id }))).toBe("409 path/not_found");
  });

  it("refreshes the access token when it has expired", async () => {
    clock.advance(5 * 3_600_000);
    expect(await summaryOf(dropbox.usersGetCurrentAccount())).toBe("401 expired_access_token");
    auth.setAccessTokenExpiresAt(new Date(Date.now() - 1000));
    expect((await dropbox.usersGetCurrentAccount()).result.email).toBe("ada@example.com");
  });

  it("exchanges a PKCE code without a client secret", async () => {
    const publicApp = new DropboxAuth({ clientId: APP.clientId, fetch: vendorFetch(standIn) });
    const redirect = encodeURIComponent(REDIRECT_URI);
    const url = await publicApp.getAuthenticationUrl(
      redirect,
      "s",
      "code",
      "offline",
      undefined,
      "none",
      true,
    );
    const code = (await allow(standIn, String(url))).get("code") ?? "";
    const { result } = await publicApp.getAccessTokenFromCode(redirect, code);
    expect((result as { refresh_token: string }).refresh_token).toBeTypeOf("string");
  });

  it("gets an error for a call that its scopes do not allow", async () => {
    const narrow = new DropboxAuth({ ...APP, fetch: vendorFetch(standIn) });
    const redirect = encodeURIComponent(REDIRECT_URI);
    const url = await narrow.getAuthenticationUrl(redirect, "s", "code", "online", ["files.metadata.read"]);
    const code = (await allow(standIn, String(url))).get("code") ?? "";
    const { result } = await narrow.getAccessTokenFromCode(redirect, code);
    narrow.setAccessToken((result as { access_token: string }).access_token);
    const limited = new Dropbox({ auth: narrow });
    expect((await limited.filesListFolder({ path: "" })).result.entries.length).toBeGreaterThan(0);
    const refused = await errorOf(limited.filesUpload({ path: "/t/x", contents: "x" }));
    expect(refused).toMatchObject({
      status: 401,
      error: { error: { required_scope: "files.content.write" } },
    });
  });

  it("revokes its token together with the refresh token", async () => {
    const own = await connect("ada@example.com");
    const client = new Dropbox({ auth: own });
    await client.authTokenRevoke();
    expect(await summaryOf(client.usersGetCurrentAccount())).toBe("401 invalid_access_token");
    const { status, error } = await errorOf(own.refreshAccessToken());
    expect(status).toBe(400);
    expect(error).toMatchObject({ error: "invalid_grant" });
  });
});

describe("requests that no SDK sends, to the Dropbox stand-in", () => {
  let standIn: StandIn;
  let token: string;

  beforeAll(async () => {
    standIn = await startDropbox({ clock: systemClock(), app: APP });
    const auth = new DropboxAuth({ ...APP, fetch: vendorFetch(standIn) });
    const redirect = encodeURIComponent(REDIRECT_URI);
    const code = (await allow(standIn, String(await auth.getAuthenticationUrl(redirect, "s", "code")))).get(
      "code",
    );
    const { result } = await auth.getAccessTokenFromCode(redirect, code ?? "");
    token = (result as { access_token: string }).access_token;
  });
  afterAll(() => standIn.close());

  const call = (path: string, init: RequestInit & { headers?: Record<string, string> }, host = "api") =>
    vendorFetch(standIn)(`https://${host}.dropboxapi.com/2/${path}`, {
      method: "POST",
      ...init,
      headers: { Authorization: `Bearer ${token}`, ...init.headers },
    });
  const json = { "Content-Type": "application/json" };

  it.each([
    ["invalid JSON", "files/list_folder", { body: "{", headers: json }, "could not decode input as JSON"],
    ["a missing field", "files/list_folder", { body: "{}", headers: json }, "missing required field 'path'"],
    [
      "an unknown field",
      "files/list_folder",
      { body: '{"path":"","x":1}', headers: json },
      "unknown field 'x'",
    ],
    ["a wrong type", "files/list_folder", { body: '{"path":1}', headers: json }, "path: expected string"],
    [
      "a wrong Content-Type",
      "files/list_folder",
      { body: "path=", headers: { "Content-Type": "application/x-www-form-urlencoded" } },
      'Bad HTTP "Content-Type" header',
    ],
    ["an unknown call", "files/no_such_call", { body: "null", headers: json }, "Unknown API function"],
    [
      "no credentials",
      "users/get_current_account",
      { headers: { Authorization: "Basic x" } },
      "Authorization",
    ],
    ["a content call to the wrong host", "files/upload", { body: "x" }, "Unknown API function"],
  ])("are answered 400 in plain text: %s", async (_, path, init, text) => {
    const answer = await call(path, init);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("text/plain");
    expect(await answer.text()).toContain(text);
  });

  it("are refused with a credential where none is used", async () => {
    const send = (headers: Record<string, string>) =>
      vendorFetch(standIn)("https://notify.dropboxapi.com/2/files/list_folder/longpoll", {
        method: "POST",
        body: '{"cursor":"made-up"}',
        headers: { ...json, ...headers },
      });
    const refused = await send({ Authorization: `Bearer ${token}` });
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringContaining("includes an Authorization header, but this function does not use it"),
    ]);
    expect(await (await send({})).text()).toContain('Invalid "cursor"');
  });

  it("are answered 401 for an unknown token", async () => {
    const answer = await call("users/get_current_account", {
      headers: { Authorization: "Bearer sl.u.made-up" },
    });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: { ".tag": "invalid_access_token" } });
  });

  it("may ask for ranges and use entity tags", async () => {
    const headers = { "Dropbox-API-Arg": '{"path":"/Welcome.txt"}' };
    const whole = await call("files/download", { headers }, "content");
    const text = await whole.text();
    const part = await call("files/download", { headers: { ...headers, Range: "bytes=3-8" } }, "content");
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes 3-8/${text.length}`);
    expect(await part.text()).toBe(text.slice(3, 9));
    const past = await call("files/download", { headers: { ...headers, Range: "bytes=99999-" } }, "content");
    expect(past.status).toBe(416);
    const etag = whole.headers.get("etag") ?? "";
    const same = await call("files/download", { headers: { ...headers, "If-None-Match": etag } }, "content");
    expect(same.status).toBe(304);
  });
});
