import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { drive, type drive_v3, auth as googleAuth } from "@googleapis/drive";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import { startGoogleDrive } from "../../local/vendors/googledrive/stand-in.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { APP, allow, REDIRECT_URI } from "./connect.ts";
import { vendorFetch } from "./vendor-fetch.ts";

const SCOPE = "https://www.googleapis.com/auth/drive";
const FOLDER = "application/vnd.google-apps.folder";
type OAuth2Client = InstanceType<typeof googleAuth.OAuth2>;

/** The official SDK, unmodified, against the stand-in: only its `fetch` sends the vendor's URLs to another address. */
describe("the official Google Drive SDK against the stand-in", () => {
  let clock: Clock;
  let standIn: StandIn;
  let client: OAuth2Client;
  let files: drive_v3.Resource$Files;
  let google: drive_v3.Drive;
  /** Id of a new folder for each test. */
  let folder: string;

  const newClient = (): OAuth2Client =>
    new googleAuth.OAuth2({
      clientId: APP.clientId,
      clientSecret: APP.clientSecret,
      redirectUri: REDIRECT_URI,
      transporterOptions: { fetchImplementation: vendorFetch(standIn), retry: false },
    });
  const connect = async (login: string, scope = SCOPE): Promise<OAuth2Client> => {
    const made = newClient();
    const { codeVerifier, codeChallenge } = await made.generateCodeVerifierAsync();
    const url = made.generateAuthUrl({
      access_type: "offline",
      prompt: "consent",
      scope,
      code_challenge: codeChallenge ?? "",
      code_challenge_method: "S256" as never,
    });
    const code = (await allow(standIn, url, login)).get("code") ?? "";
    const { tokens } = await made.getToken({ code, codeVerifier });
    made.setCredentials(tokens);
    return made;
  };
  const sdk = (auth: OAuth2Client) => drive({ version: "v3", auth, retry: false });
  const errorOf = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (caught: unknown) => caught as { status?: number; response?: { data?: unknown } },
    );
    if (error?.status === undefined) throw new Error(`no Google error but ${JSON.stringify(error)}`);
    const data = error.response?.data as { error?: { errors?: { reason: string; message: string }[] } };
    return { status: error.status, reason: data.error?.errors?.[0]?.reason, data };
  };
  const create = async (name: string, text: string, parent = folder): Promise<string> => {
    const { data } = await files.create({
      requestBody: { name, parents: [parent] },
      media: { mimeType: "text/plain", body: text },
    });
    return data.id ?? "";
  };
  const makeFolder = async (name: string, parent = folder): Promise<string> =>
    (await files.create({ requestBody: { name, mimeType: FOLDER, parents: [parent] } })).data.id ?? "";
  const textOf = async (fileId: string) =>
    (await files.get({ fileId, alt: "media" }, { responseType: "text" })).data as unknown as string;
  const find = async (q: string) => {
    const { data } = await files.list({ q: `'${folder}' in parents and (${q})`, orderBy: "name" });
    return (data.files ?? []).map((file) => file.name);
  };

  beforeAll(async () => {
    clock = systemClock();
    standIn = await startGoogleDrive({ clock, app: APP });
    client = await connect("ada@example.com");
    google = sdk(client);
    files = google.files;
  });
  afterAll(() => standIn.close());
  beforeEach(async () => {
    folder = await makeFolder(`test ${randomUUID()}`, "root");
  });

  it("gets the account and its used space, but only the named fields", async () => {
    const { data } = await google.about.get({ fields: "user(emailAddress,displayName),storageQuota" });
    expect(data.user).toEqual({ emailAddress: "ada@example.com", displayName: "Ada Lovelace" });
    await create("five.txt", "12345");
    const after = (await google.about.get({ fields: "storageQuota/usage" })).data.storageQuota;
    expect(Number(after?.usage) - Number(data.storageQuota?.usage)).toBe(5);
    expect(after).toEqual({ usage: after?.usage });
    expect(await errorOf(google.about.get({}))).toMatchObject({ status: 400, reason: "required" });
  });

  it("lists Ada's demo files", async () => {
    const { data } = await files.list({ q: "'root' in parents and name = 'odd NAMES'" });
    const odd = data.files?.[0]?.id ?? "";
    const inside = await files.list({ q: `'${odd}' in parents`, orderBy: "name" });
    expect(inside.data.files?.map((file) => file.name)).toEqual([
      "50% + tax & more #1?.txt",
      'O\'Brien said "hello".txt',
      "Übergröße – 日本語.txt",
    ]);
  });

  it("lists in pages without gap or overlap", async () => {
    for (let index = 0; index < 7; index++) await create(`file ${index}`, String(index));
    const seen: string[] = [];
    let pageToken: string | undefined;
    const sizes: number[] = [];
    do {
      const { data }: { data: drive_v3.Schema$FileList } = await files.list({
        q: `'${folder}' in parents`,
        orderBy: "name desc",
        pageSize: 3,
        fields: "nextPageToken,files(name)",
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      sizes.push(data.files?.length ?? 0);
      seen.push(...(data.files ?? []).map((file) => file.name ?? ""));
      pageToken = data.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    expect(sizes).toEqual([3, 3, 1]);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => `file ${index}`));
    expect(await errorOf(files.list({ pageToken: "made-up" }))).toMatchObject({
      status: 400,
      reason: "invalid",
    });
    expect(await errorOf(files.list({ pageSize: 1001 }))).toMatchObject({ status: 400 });
  });

  it("gets the fields that it asks for, and an error for unknown fields", async () => {
    const id = await create("a.txt", "text");
    expect(Object.keys((await files.get({ fileId: id })).data).sort()).toEqual([
      "id",
      "kind",
      "mimeType",
      "name",
    ]);
    const { data } = await files.get({ fileId: id, fields: "size,md5Checksum,owners/emailAddress,parents" });
    expect(data).toEqual({
      size: "4",
      md5Checksum: createHash("md5").update("text").digest("hex"),
      owners: [{ emailAddress: "ada@example.com" }],
      parents: [folder],
    });
    const all = (await files.get({ fileId: id, fields: "*" })).data;
    expect(all).toMatchObject({ trashed: false, fileExtension: "txt", capabilities: { canEdit: true } });
    expect(await errorOf(files.get({ fileId: id, fields: "id,bogus" }))).toMatchObject({
      status: 400,
      reason: "invalidParameter",
    });
    expect(await errorOf(files.list({ fields: "files(bogus)" }))).toMatchObject({ status: 400 });
    expect(await errorOf(files.list({ fields: "files(id" }))).toMatchObject({ status: 400 });
  });

  it.each([
    ["name = 'it\\'s a \\\\ test.txt'", ["it's a \\ test.txt"]],
    ["name = 'IT\\'S A \\\\ TEST.TXT'", ["it's a \\ test.txt"]],
    ["name contains 'Hello'", ["hello world.md", "HelloWorld.md"]],
    ["name contains 'World'", ["hello world.md"]],
    ["name contains 'orld'", []],
    ["name contains 'wor'", ["hello world.md"]],
    [
      "name != 'sub' and mimeType != 'application/vnd.google-apps.folder' and not name contains 'hello'",
      ["it's a \\ test.txt"],
    ],
    ["mimeType = 'application/vnd.google-apps.folder'", ["sub"]],
    [
      "mimeType contains 'text/' and (name = 'sub' or name contains 'hello')",
      ["hello world.md", "HelloWorld.md"],
    ],
    ["fullText contains 'needle'", ["hello world.md"]],
    ["fullText contains 'need'", []],
    ["fullText contains '\"hay and needle\"'", ["hello world.md"]],
    ["starred = true", ["sub"]],
    ["properties has { key='colour' and value='it\\'s red' }", ["sub"]],
    ["modifiedTime > '2001-01-01T00:00:00' and modifiedTime < '2002-01-01T00:00:00Z'", ["hello world.md"]],
    ["trashed = true", []],
    ["'ada@example.com' in owners and name = 'sub'", ["sub"]],
    ["'grace@example.com' in owners", []],
  ])("finds by %s", async (q, expected) => {
    await create("it's a \\ test.txt", "");
    await create("HelloWorld.md", "nothing here");
    const requestBody = { name: "hello world.md", parents: [folder], modifiedTime: "2001-06-01T00:00:00Z" };
    await files.create({ requestBody, media: { mimeType: "text/markdown", body: "Hay, and NEEDLE." } });
    const sub = await makeFolder("sub");
    await files.update({ fileId: sub, requestBody: { starred: true, properties: { colour: "it's red" } } });
    if (q.startsWith("fullText")) {
      const { data } = await files.list({ q: `'${folder}' in parents and ${q}` });
      expect((data.files ?? []).map((file) => file.name)).toEqual(expected);
    } else expect(await find(q)).toEqual(expected);
  });

  it.each([
    "name =",
    "name = 'open",
    "nothing = 'x'",
    "name = 'a' name = 'b'",
    "(name = 'a'",
    "trashed = 'true'",
    "modifiedTime > 'soon'",
    "name like 'x'",
  ])("gets an error for the query %s", async (q) => {
    expect(await errorOf(files.list({ q }))).toMatchObject({ status: 400, reason: "invalid" });
  });

  it("gets an error when it sorts a full text search, or lists a missing folder", async () => {
    const sorted = files.list({ q: "fullText contains 'x'", orderBy: "name" });
    expect(await errorOf(sorted)).toMatchObject({ status: 400, reason: "badRequest" });
    expect(await errorOf(files.list({ q: "'nowhere' in parents" }))).toMatchObject({
      status: 404,
      reason: "notFound",
    });
  });

  it("uploads by multipart, streamed or from memory, and downloads the same bytes", async () => {
    const name = "Ünïcode ☂ '\"\\#?%&+.txt";
    const bytes = Buffer.from("line\r\n--not-a-boundary\r\n\r\nend\r\n");
    const { data } = await files.create({
      requestBody: { name, parents: [folder], description: "d", properties: { a: "1", b: "2" } },
      media: { mimeType: "text/plain", body: Readable.from([bytes.subarray(0, 5), bytes.subarray(5)]) },
      fields: "id,name,size,md5Checksum,description,properties",
    });
    expect(data).toMatchObject({
      name,
      size: String(bytes.length),
      description: "d",
      properties: { a: "1", b: "2" },
    });
    expect(data.md5Checksum).toBe(createHash("md5").update(bytes).digest("hex"));
    const back = await files.get({ fileId: data.id ?? "", alt: "media" }, { responseType: "arraybuffer" });
    expect(Buffer.from(back.data as unknown as ArrayBuffer)).toEqual(bytes);
    const part = await files.get(
      { fileId: data.id ?? "", alt: "media" },
      { responseType: "text", headers: { Range: "bytes=6-9" } },
    );
    expect(part.status).toBe(206);
    expect(part.data).toBe("--no");
  });

  it("creates an empty file, and uploads bytes without metadata", async () => {
    const { data } = await files.create({
      requestBody: { name: "empty.csv", parents: [folder] },
      fields: "id,size,parents",
    });
    expect(data).toMatchObject({ size: "0", parents: [folder] });
    const media = await files.create({
      media: { mimeType: "image/png", body: "x" },
      fields: "id,name,mimeType",
    });
    expect(media.data).toMatchObject({ name: "Untitled", mimeType: "image/png" });
    await files.delete({ fileId: media.data.id ?? "" });
  });

  it("creates a file once for a generated id", async () => {
    const [id = ""] = (await files.generateIds({ count: 1 })).data.ids ?? [];
    const create = () => files.create({ requestBody: { id, name: "once", parents: [folder] } });
    expect((await create()).data.id).toBe(id);
    expect(await errorOf(create())).toMatchObject({ status: 409, reason: "fileIdInUse" });
  });

  it("can have several items with the same name in a folder", async () => {
    const [one, other] = [await create("same", "one"), await create("same", "other")];
    expect(one).not.toBe(other);
    expect(await find("name = 'same'")).toEqual(["same", "same"]);
    expect([await textOf(one), await textOf(other)]).toEqual(["one", "other"]);
  });

  it("renames, describes, moves and trashes", async () => {
    const id = await create("before.txt", "x");
    const target = await makeFolder("target");
    const { data } = await files.update({
      fileId: id,
      addParents: target,
      removeParents: folder,
      requestBody: { name: "after.txt", description: "new", properties: { keep: "1" } },
      fields: "id,name,description,parents,properties",
    });
    expect(data).toEqual({
      id,
      name: "after.txt",
      description: "new",
      parents: [target],
      properties: { keep: "1" },
    });
    const cleared = await files.update({
      fileId: id,
      requestBody: { properties: { keep: null as never } },
      fields: "properties",
    });
    expect(cleared.data).toEqual({});
    const parents = files.update({ fileId: id, requestBody: { parents: [folder] } });
    expect(await errorOf(parents)).toMatchObject({ status: 403, reason: "fieldNotWritable" });
    const cycle = files.update({ fileId: folder, addParents: target, removeParents: "root" });
    expect((await errorOf(cycle)).status).toBe(400);
    const intoFile = files.update({ fileId: target, addParents: id, removeParents: folder });
    expect(await errorOf(intoFile)).toMatchObject({ status: 403, reason: "parentNotAFolder" });
    await files.update({ fileId: target, requestBody: { trashed: true } });
    const trashed = (await files.get({ fileId: id, fields: "trashed,explicitlyTrashed" })).data;
    expect(trashed).toEqual({ trashed: true, explicitlyTrashed: false });
    expect(await find("trashed = true")).toEqual(["target"]);
    await files.emptyTrash({});
    expect(await errorOf(files.get({ fileId: id }))).toMatchObject({ status: 404, reason: "notFound" });
  });

  it("copies files, but cannot copy folders", async () => {
    const id = await create("original.txt", "content");
    const copy = (
      await files.copy({ fileId: id, requestBody: { name: "copy.txt" }, fields: "id,name,parents" })
    ).data;
    expect(copy).toMatchObject({ name: "copy.txt", parents: [folder] });
    expect(copy.id).not.toBe(id);
    expect(await textOf(copy.id ?? "")).toBe("content");
    expect((await files.copy({ fileId: id })).data.name).toBe("Copy of original.txt");
    expect(await errorOf(files.copy({ fileId: folder }))).toMatchObject({
      status: 403,
      reason: "cannotCopyFile",
    });
  });

  it("deletes permanently, with everything below", async () => {
    const sub = await makeFolder("sub");
    const id = await create("deep.txt", "x", sub);
    expect((await files.delete({ fileId: sub })).status).toBe(204);
    expect(await errorOf(files.get({ fileId: id }))).toMatchObject({ status: 404, reason: "notFound" });
    expect(await errorOf(files.delete({ fileId: sub }))).toMatchObject({ status: 404 });
    expect(await errorOf(files.delete({ fileId: "root" }))).toMatchObject({ status: 403 });
  });

  it("lists revisions and reads an old one", async () => {
    const id = await create("r.txt", "one");
    await files.update({ fileId: id, media: { mimeType: "text/plain", body: "second" } });
    const { data } = await google.revisions.list({ fileId: id, fields: "revisions(id,size)" });
    expect(data.revisions?.map((revision) => revision.size)).toEqual(["3", "6"]);
    const first = await google.revisions.list({ fileId: id, pageSize: 1, fields: "*" });
    const pageToken = first.data.nextPageToken ?? "";
    const second = await google.revisions.list({ fileId: id, pageSize: 1, pageToken, fields: "*" });
    expect([first, second].map((page) => page.data.revisions?.map(({ size }) => size))).toEqual([
      ["3"],
      ["6"],
    ]);
    expect(second.data.nextPageToken).toBeUndefined();
    const revisionId = data.revisions?.[0]?.id ?? "";
    const old = await google.revisions.get(
      { fileId: id, revisionId, alt: "media" },
      { responseType: "text" },
    );
    expect(old.data).toBe("one");
    expect(await textOf(id)).toBe("second");
    const none = google.revisions.get({ fileId: id, revisionId: "none" });
    expect(await errorOf(none)).toMatchObject({ status: 404 });
    expect(await errorOf(google.revisions.list({ fileId: folder }))).toMatchObject({ status: 403 });
  });

  it("makes, lists, renames and deletes shared drives, and searches one of them", async () => {
    const { drives } = google;
    const requestId = randomUUID();
    const one = (await drives.create({ requestId, requestBody: { name: "One" } })).data.id ?? "";
    expect(await errorOf(drives.create({ requestId, requestBody: { name: "One" } }))).toMatchObject({
      status: 409,
    });
    const second = { requestId: randomUUID(), requestBody: { name: "Two" } };
    const two = (await drives.create(second)).data.id ?? "";
    const first = (await drives.list({ pageSize: 1 })).data;
    const rest = (await drives.list({ pageSize: 1, pageToken: first.nextPageToken ?? "" })).data;
    expect([first, rest].map((page) => page.drives?.map(({ name }) => name))).toEqual([["One"], ["Two"]]);
    expect(rest.nextPageToken).toBeUndefined();
    await drives.update({ driveId: two, requestBody: { name: "Second" } });
    expect((await drives.get({ driveId: two })).data.name).toBe("Second");
    const all = { supportsAllDrives: true, includeItemsFromAllDrives: true };
    const { data: inOne } = await files.create({ requestBody: { name: "in one", parents: [one] }, ...all });
    const idsOf = async (where: drive_v3.Params$Resource$Files$List) =>
      (await files.list({ q: "name = 'in one'", ...where })).data.files?.map(({ id }) => id);
    expect(await idsOf({ corpora: "drive", driveId: one, ...all })).toEqual([inOne.id]);
    expect(await idsOf({ corpora: "drive", driveId: two, ...all })).toEqual([]);
    expect(await idsOf({ corpora: "allDrives", ...all })).toEqual([inOne.id]);
    expect(await idsOf(all)).toEqual([]);
    expect(await idsOf({ q: `'${one}' in parents`, ...all })).toEqual([inOne.id]);
    expect(await errorOf(files.list({ corpora: "drive", ...all }))).toMatchObject({ status: 400 });
    expect(await errorOf(files.list({ corpora: "drive", driveId: one }))).toMatchObject({ status: 403 });
    const fileId = inOne.id ?? "";
    const { data: sub } = await files.create({
      requestBody: { name: "sub", mimeType: FOLDER, parents: [one] },
      ...all,
    });
    const addParents = sub.id ?? "";
    expect(await errorOf(files.update({ fileId, addParents, ...all }))).toMatchObject({
      status: 403,
      reason: "teamDrivesParentLimit",
    });
    await files.update({ fileId, addParents, removeParents: one, ...all });
    expect(await idsOf({ q: `'${addParents}' in parents`, ...all })).toEqual([inOne.id]);
    expect(await errorOf(drives.delete({ driveId: one }))).toMatchObject({ status: 403 });
    await files.delete({ fileId: addParents, supportsAllDrives: true });
    for (const driveId of [one, two]) expect((await drives.delete({ driveId })).status).toBe(204);
    expect(await errorOf(drives.get({ driveId: one }))).toMatchObject({ status: 404 });
  });

  it("shares with anyone who has the link, and revokes the link", async () => {
    const id = await create("shared.txt", "for all");
    const { webViewLink, webContentLink } = (
      await files.get({ fileId: id, fields: "webViewLink,webContentLink" })
    ).data;
    expect((await fetch(webViewLink ?? "")).status).toBe(403);
    const requestBody = { type: "anyone", role: "reader" };
    const { data } = await google.permissions.create({ fileId: id, requestBody });
    expect(data).toMatchObject({ id: "anyoneWithLink", type: "anyone", role: "reader" });
    expect((await fetch(webViewLink ?? "")).status).toBe(200);
    expect(await (await fetch(webContentLink ?? "")).text()).toBe("for all");
    const listed = (await google.permissions.list({ fileId: id, fields: "permissions(id,role)" })).data
      .permissions;
    expect(listed?.map((permission) => permission.role)).toEqual(["owner", "reader"]);
    expect((await google.permissions.delete({ fileId: id, permissionId: "anyoneWithLink" })).status).toBe(
      204,
    );
    expect((await fetch(webViewLink ?? "")).status).toBe(403);
    const again = google.permissions.delete({ fileId: id, permissionId: "anyoneWithLink" });
    expect(await errorOf(again)).toMatchObject({ status: 404, reason: "notFound" });
  });

  it("exports documents of Google's editors, and cannot download them", async () => {
    const { data } = await files.list({
      q: "name = 'Lecture plan'",
      fields: "files(id,size,mimeType,exportLinks)",
    });
    const fileId = data.files?.[0]?.id ?? "";
    // "Size in bytes of blobs and Google Workspace editor files": reference of files, read 27 November 2026.
    expect(data.files?.[0]?.size).toBe("58");
    const text = await files.export({ fileId, mimeType: "text/plain" }, { responseType: "text" });
    expect(text.data).toContain("What an engine may do");
    const pdf = await files.export({ fileId, mimeType: "application/pdf" }, { responseType: "text" });
    expect(String(pdf.data).startsWith("%PDF-")).toBe(true);
    expect(await errorOf(files.export({ fileId, mimeType: "image/png" }))).toMatchObject({ status: 400 });
    expect(await errorOf(files.get({ fileId, alt: "media" }))).toMatchObject({
      status: 403,
      reason: "fileNotDownloadable",
    });
    const binary = await create("a.txt", "a");
    const wrong = files.export({ fileId: binary, mimeType: "text/plain" });
    expect(await errorOf(wrong)).toMatchObject({ status: 403, reason: "fileNotExportable" });
  });

  it("uploads in resumable sessions, whose URI has the vendor's host", async () => {
    const fetchVendor = vendorFetch(standIn);
    const headers = {
      Authorization: `Bearer ${client.credentials.access_token}`,
      "Content-Type": "application/json",
    };
    const begun = await fetchVendor(
      "https://www.googleapis.com/upload/drive/v3/files?uploadType=resumable&fields=id,size,mimeType",
      {
        method: "POST",
        headers: { ...headers, "X-Upload-Content-Type": "video/mp4" },
        body: JSON.stringify({ name: "film.mp4", parents: [folder] }),
      },
    );
    const session = begun.headers.get("location") ?? "";
    expect(
      session.startsWith("https://www.googleapis.com/upload/drive/v3/files?uploadType=resumable&upload_id="),
    ).toBe(true);
    const bytes = Buffer.alloc(300_000, "frame");
    const put = (body: Buffer | undefined, range: string) =>
      fetchVendor(session, {
        method: "PUT",
        headers: { ...headers, "Content-Range": range },
        ...(body === undefined ? {} : { body }),
      });
    expect((await put(bytes.subarray(0, 1000), "bytes 0-999/300000")).status).toBe(400);
    const first = await put(bytes.subarray(0, 262_144), "bytes 0-262143/300000");
    expect([first.status, first.headers.get("range")]).toEqual([308, "bytes=0-262143"]);
    const asked = await put(undefined, "bytes */300000");
    expect([asked.status, asked.headers.get("range")]).toEqual([308, "bytes=0-262143"]);
    const done = await put(bytes.subarray(262_144), "bytes 262144-299999/300000");
    expect(await done.json()).toMatchObject({ size: "300000", mimeType: "video/mp4" });
    expect((await put(undefined, "bytes */300000")).status).toBe(404);
  });

  it("gets Google's errors for missing, wrong and too narrow credentials", async () => {
    const fetchVendor = vendorFetch(standIn);
    const url = "https://www.googleapis.com/drive/v3/files";
    const none = await fetchVendor(url);
    expect(none.status).toBe(403);
    const wrong = await fetchVendor(url, { headers: { Authorization: "Bearer ya29.made-up" } });
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toMatchObject({
      error: { code: 401, errors: [{ reason: "authError" }], status: "UNAUTHENTICATED" },
    });
    const reader = sdk(await connect("ada@example.com", `${SCOPE}.readonly`));
    expect((await reader.files.list({})).data.files?.length).toBeGreaterThan(0);
    const write = reader.files.create({ requestBody: { name: "no" } });
    expect(await errorOf(write)).toMatchObject({ status: 403, reason: "insufficientPermissions" });
  });

  it("cannot see another account's files", async () => {
    const grace = sdk(await connect("grace@example.com"));
    const own = (await grace.files.list({ q: "'root' in parents" })).data.files ?? [];
    expect(own.map((file) => file.name).sort()).toEqual(["Compilers", "First bug.txt"]);
    expect(await errorOf(grace.files.get({ fileId: folder }))).toMatchObject({
      status: 404,
      reason: "notFound",
    });
  });

  it("refreshes the access token when it has expired", async () => {
    standIn.clearRequests();
    standIn.expireAccessTokens();
    expect(await errorOf(google.about.get({ fields: "user" }))).toMatchObject({
      status: 401,
      reason: "authError",
    });
    client.setCredentials({ ...client.credentials, expiry_date: Date.now() - 1000 });
    expect((await google.about.get({ fields: "user" })).data.user?.emailAddress).toBe("ada@example.com");
    expect(standIn.tokenRequests("refresh_token")).toBe(1);
  });

  it("ends the user's whole grant when it revokes one token", async () => {
    const [one, other] = [await connect("grace@example.com"), await connect("grace@example.com")];
    await one.revokeCredentials();
    expect(await errorOf(sdk(other).about.get({ fields: "user" }))).toMatchObject({ status: 401 });
    expect(standIn.living("grace@example.com")).toEqual({ grants: 0, accessTokens: 0 });
    expect(standIn.living("ada@example.com").grants).toBeGreaterThan(0);
    const dead = await other.refreshAccessToken().then(
      () => undefined,
      (error: { response?: { data?: unknown } }) => error.response?.data,
    );
    expect(dead).toEqual({ error: "invalid_grant", error_description: "Token has been expired or revoked." });
  });
});
