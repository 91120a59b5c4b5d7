import { beforeAll, describe, expect, it } from "vitest";
import { HubClient, type HubItem } from "../hub-client.ts";
import { type Fixture, itWith, LOGIN, neverMissing } from "./fixture.ts";

/** Items beside the user's own folders, and names that lead to more than one item: no call may act on another item than meant. */
export function describePlaces(on: Fixture): void {
  const byId = async (id: string) =>
    (await on.hub.ok("GET", `/files/${encodeURIComponent(id)}/metadata`)) as HubItem;
  /** The item's path is not shown, or leads back to the item. */
  async function expectHonestPath(item: HubItem): Promise<void> {
    if (item.path === undefined) return;
    expect([item.path, (await on.hub.metadata(item.path)).json.id]).toEqual([item.path, item.id]);
  }

  describe("an item that another person shares, in none of the user's folders", () => {
    let id: string;
    beforeAll(() => {
      on.vendor.clearFaults();
      on.vendor.addFile(LOGIN, "/plan.txt", "mine");
      id = on.vendor.places.addShared(LOGIN, "plan.txt", "theirs");
    });

    itWith(on, "addShared")(
      "is read by its id, and its path does not lead to the user's own item of that name",
      async () => {
        const item = await byId(id);
        expect(item).toMatchObject({ name: "plan.txt", size: 6 });
        await expectHonestPath(item);
        const bytes = await on.hub.call("GET", `/files/${encodeURIComponent(item.id)}`);
        expect(bytes.bytes.toString()).toBe("theirs");
        expect((await on.hub.bytes("/plan.txt")).toString()).toBe("mine");
      },
    );

    itWith(on, "addShared")(
      "is the item that a change or a deletion by its id is about, and never the user's own",
      async () => {
        const item = await byId(id);
        for (const [method, path, json] of [
          ["DELETE", `/files/${encodeURIComponent(item.id)}`, undefined],
          ["DELETE", `/files/${encodeURIComponent(item.refId ?? item.id)}?emptyTrash=true`, undefined],
          ["PATCH", `/files/${encodeURIComponent(item.id)}/metadata`, { name: "plan.txt" }],
        ] as const) {
          await on.hub.call(method, path, json === undefined ? {} : { json });
          expect((await on.hub.bytes("/plan.txt")).toString()).toBe("mine");
        }
      },
    );

    itWith(on, "addShared")("is copied into the user's folders, and nothing is lost", async () => {
      const item = await byId(id);
      const json = { path: `${on.home}/copy of plan.txt` };
      const copy = await on.hub.ok("POST", `/files/${encodeURIComponent(item.id)}/copy`, { json });
      expect(copy.path).toBe(json.path);
      expect((await on.hub.bytes(json.path)).toString()).toBe("theirs");
      expect(await byId(id)).toEqual(item);
    });

    itWith(on, "addShared")("has a path of its own also when two of them have one name", async () => {
      const other = on.vendor.places.addShared(LOGIN, "plan.txt", "another");
      const [one, two] = [await byId(id), await byId(other)];
      await expectHonestPath(one);
      await expectHonestPath(two);
      const folderOf = ({ path = "" }: HubItem) => path.slice(0, path.lastIndexOf("/"));
      const folder = folderOf(one);
      // At some vendors only folders are shared, and two of them hold the two files.
      if (folder === "" || folder !== folderOf(two)) return;
      const listed = (await on.hub.contents(folder, { pageSize: 1 })).json;
      const all = (await on.hub.contents(folder)).json;
      expect(all.filter(({ name }) => name === "plan.txt")).toHaveLength(2);
      for (const item of [...listed, ...all]) await expectHonestPath(item);
    });
  });

  describe("a folder that another person shares", () => {
    itWith(on, "addSharedFolder")("leads to its files by paths that lead back", async () => {
      const { addSharedFolder = neverMissing } = on.vendor.places;
      on.vendor.addFile(LOGIN, "/Team/report.txt", "mine");
      const { folder, file } = addSharedFolder(LOGIN, "Team", "report.txt");
      const item = await byId(file);
      expect(item.path).toBeDefined();
      await expectHonestPath(item);
      await expectHonestPath(await byId(folder));
      const [listed] = await on.hub.ok<HubItem[]>("GET", `/folders/${folder}/contents`);
      expect(listed).toEqual(item);
      expect((await on.hub.bytes("/Team/report.txt")).toString()).toBe("mine");
    });
  });

  describe("a search below a place beside the user's own folders", () => {
    const find = (path: string) =>
      on.hub.ok<HubItem[]>("GET", "/search", { query: { path, text: "ledger" } });

    itWith(on, "addSharedDrive")(
      "finds what is in a shared drive, and in all of them, by paths that lead back",
      async () => {
        const { addSharedDrive = neverMissing } = on.vendor.places;
        on.vendor.addFile(LOGIN, `${on.home}/ledger.txt`, "mine");
        const one = addSharedDrive(LOGIN, "Books", "ledger.txt");
        const two = addSharedDrive(LOGIN, "More books", "ledger.txt");
        await on.hub.upload("/Shared drives/Books/2026/June/ledger of June.txt", "x");
        const inOne = await find("/Shared drives/Books");
        expect(inOne.map(({ path }) => path).toSorted()).toEqual([
          "/Shared drives/Books/2026/June/ledger of June.txt",
          "/Shared drives/Books/ledger.txt",
        ]);
        for (const item of inOne) await expectHonestPath(item);
        expect((await find("/Shared drives/Books/2026")).map(({ name }) => name)).toEqual([
          "ledger of June.txt",
        ]);
        const all = (await find("/Shared drives")).map(({ id }) => id);
        expect(all).toEqual(expect.arrayContaining([one.file, two.file]));
        expect(all).toHaveLength(3);
      },
    );

    itWith(on, "addSharedFolder")("finds what other people share, by paths that lead back", async () => {
      const { addSharedFolder = neverMissing } = on.vendor.places;
      const { folder, file } = addSharedFolder(LOGIN, "Their books", "ledger of theirs.txt");
      const path = (await byId(folder)).path;
      for (const place of [path, path.slice(0, path.lastIndexOf("/"))]) {
        const found = await find(place);
        expect(found.map(({ id }) => id)).toEqual([file]);
        for (const item of found) await expectHonestPath(item);
      }
    });
  });

  it.runIf(on.traits.namesHoldSlashes)(
    "a name that a path shows in another way is kept when only the folder changes",
    async () => {
      const { addDocument = neverMissing } = on.vendor.places;
      const id = addDocument(LOGIN, "Plan 1/2", "text");
      const { path } = await byId(id);
      expect((await on.hub.metadata(path)).json.id).toBe(id);
      const shown = path.slice(1);
      const moved = await on.hub.ok("PATCH", "/files/metadata", {
        query: { path },
        json: { path: `${on.home}/${shown}` },
      });
      expect([moved.name, moved.path]).toEqual(["Plan 1/2", `${on.home}/${shown}`]);
      expect(await byId(id)).toEqual(moved);
      const renamed = await on.hub.ok("PATCH", `/files/${id}/metadata`, {
        json: { path: `${on.home}/Plan 2` },
      });
      expect(renamed.name).toBe("Plan 2");
    },
  );

  describe("the space of the user's team", () => {
    const connectAs = async (login: string) => {
      on.vendor.addAccount({ login, name: "Tea Member", email: login });
      on.vendor.addFile(login, "/own.txt", "own");
      const made = on.vendor.places.addTeamSpace?.(login, "Marketing", "plan.txt") ?? neverMissing();
      const { id, token } = await on.app.connect(on.connector, { login });
      return { ...made, id, hub: new HubClient(on.platform.baseUrl, token) };
    };
    const namesIn = async (hub: HubClient, path: string) =>
      (await hub.contents(path)).json.map(({ name }) => name).toSorted();

    itWith(on, "addTeamSpace")("is the root, and the user's own folder is one of its folders", async () => {
      const { hub, file } = await connectAs("member@example.com");
      expect(await namesIn(hub, "/")).toEqual(["Marketing", "Tea Member"]);
      expect(await namesIn(hub, "/Tea Member")).toEqual(["own.txt"]);
      expect((await hub.bytes("/Marketing/plan.txt")).toString()).toBe("of Marketing");
      const found = (await hub.metadata("/Marketing/plan.txt")).json;
      expect([found.path, found.refId]).toEqual(["/Marketing/plan.txt", file]);
      expect(await hub.ok("GET", `/files/${encodeURIComponent(found.id)}/metadata`)).toEqual(found);
      const uploaded = await hub.upload("/Marketing/new/b.txt", "b");
      expect(uploaded.path).toBe("/Marketing/new/b.txt");
      const moved = await hub.ok("PATCH", "/files/metadata", {
        query: { path: "/Marketing/new/b.txt" },
        json: { path: "/Tea Member/b.txt" },
      });
      expect([moved.path, moved.refId]).toEqual(["/Tea Member/b.txt", uploaded.refId]);
    });

    itWith(on, "addTeamSpace")("has the storage of the team", async () => {
      const { hub } = await connectAs("storage@example.com");
      const { total, used, shared } = await hub.ok<Record<string, number>>("GET", "/storage");
      expect([total, shared]).toEqual([3 * 1024 ** 4, 3 * 1024 ** 3]);
      expect(used).toBeGreaterThan(shared ?? 0);
    });

    itWith(on, "addTeamSpace")(
      "is left out if the instance's configuration says so, and paths begin at the own folder",
      async () => {
        const { hub, id, file } = await connectAs("home@example.com");
        for (const [key, propertyValue] of Object.entries(on.traits.withoutTeamSpace ?? {})) {
          const set = await on.app.platform("PATCH", `/instances/${id}`, {
            configuration: { [key]: propertyValue },
          });
          expect(set.status).toBe(200);
        }
        expect(await namesIn(hub, "/")).toEqual(["own.txt"]);
        expect((await hub.bytes("/own.txt")).toString()).toBe("own");
        expect((await hub.upload("/new/b.txt", "b")).path).toBe("/new/b.txt");
        const outside = await hub.ok("GET", `/files/${encodeURIComponent(file)}/metadata`);
        expect([outside.name, outside.path]).toEqual(["plan.txt", undefined]);
      },
    );
  });

  describe("a shared drive", () => {
    itWith(on, "addSharedDrive")(
      "is a folder below /Shared drives, beside a drive of the same name and folders of the user's own",
      async () => {
        const { addSharedDrive = neverMissing } = on.vendor.places;
        on.vendor.addFile(LOGIN, "/Drive/plan.txt", "mine");
        const one = addSharedDrive(LOGIN, "Sales", "plan.txt");
        const two = addSharedDrive(LOGIN, "Sales", "plan.txt");
        for (const { drive, file } of [one, two]) {
          const item = await byId(file);
          expect(item.path).toMatch(/^\/Shared drives\/Sales/);
          await expectHonestPath(item);
          const top = await byId(drive);
          expect(top).toMatchObject({ name: "Sales", directory: true });
          await expectHonestPath(top);
          const uploaded = await on.hub.upload(`${top.path}/new/x.txt`, "x");
          await expectHonestPath(uploaded);
          expect((await on.hub.bytes(`${top.path}/new/x.txt`)).toString()).toBe("x");
        }
        const drives = (await on.hub.contents("/Shared drives")).json.filter(({ name }) => name === "Sales");
        expect(drives).toHaveLength(2);
        for (const item of drives) await expectHonestPath(item);
        const removed = await byId(one.file);
        await on.hub.ok("DELETE", "/files", { query: { path: removed.path } });
        expect((await on.hub.bytes("/Drive/plan.txt")).toString()).toBe("mine");
        await byId(two.file);
      },
    );

    itWith(on, "addSharedDrive")(
      "does not hide a folder of the user's own with such a name: it has an id, and no path",
      async () => {
        for (const name of ["Shared drives", "Shared with me"]) {
          on.vendor.addFile(LOGIN, `/${name}/own.txt`, "own");
          const own = (await on.hub.contents("/")).json.find((item) => item.name === name);
          expect(own).toMatchObject({ directory: true });
          expect(own?.path).toBeUndefined();
          const [file] = await on.hub.ok<HubItem[]>("GET", `/folders/${own?.id}/contents`);
          expect(file).toMatchObject({ name: "own.txt" });
          expect(file?.path).toBeUndefined();
          await on.hub.ok("DELETE", `/folders/${own?.id}`);
        }
      },
    );
  });

  describe("a shortcut", () => {
    itWith(on, "addShortcut")(
      "leads to its file or folder; moving and deleting it leaves them where they are",
      async () => {
        const { addShortcut = neverMissing } = on.vendor.places;
        const target = await on.hub.upload(`${on.home}/real/file.txt`, "real");
        const folder = (await on.hub.metadata(`${on.home}/real`)).json;
        const toFile = addShortcut(LOGIN, "to file.txt", target.id);
        const toFolder = addShortcut(LOGIN, "to folder", folder.id);
        expect((await on.hub.bytes("/to file.txt")).toString()).toBe("real");
        expect((await on.hub.metadata("/to file.txt")).json).toMatchObject({
          id: toFile,
          size: 4,
          directory: false,
          properties: { mimeType: "text/plain" },
        });
        expect((await on.hub.contents("/to folder")).json.map(({ path }) => path)).toEqual([
          "/to folder/file.txt",
        ]);
        expect((await on.hub.bytes("/to folder/file.txt")).toString()).toBe("real");
        const listed = (await on.hub.contents("/")).json;
        for (const item of listed.filter(({ id }) => id === toFile || id === toFolder)) {
          expect((await on.hub.metadata(item.path)).json).toEqual(item);
        }
        await on.hub.upload("/to folder/new.txt", "new");
        expect((await on.hub.bytes(`${on.home}/real/new.txt`)).toString()).toBe("new");
        await on.hub.ok("PATCH", "/files/metadata", {
          query: { path: "/to file.txt" },
          json: { path: `${on.home}/moved.txt` },
        });
        expect((await on.hub.bytes(`${on.home}/moved.txt`)).toString()).toBe("real");
        await on.hub.ok("DELETE", "/files", { query: { path: `${on.home}/moved.txt`, emptyTrash: true } });
        await on.hub.ok("DELETE", "/folders", { query: { path: "/to folder", emptyTrash: true } });
        expect((await on.hub.bytes(`${on.home}/real/file.txt`)).toString()).toBe("real");
      },
    );

    itWith(on, "addShortcut")("that leads nowhere is listed, and its download is 404", async () => {
      const { addShortcut = neverMissing } = on.vendor.places;
      const id = addShortcut(LOGIN, "to nothing.txt", "1nowhere");
      expect((await on.hub.contents("/")).json.map((item) => item.id)).toContain(id);
      expect((await on.hub.call("GET", `/files/${id}`)).status).toBe(404);
      await on.hub.ok("DELETE", "/files", { query: { path: "/to nothing.txt" } });
    });

    itWith(on, "addShortcut")("into the folder that is copied does not make the copy endless", async () => {
      const { addShortcut = neverMissing } = on.vendor.places;
      await on.hub.upload(`${on.home}/loop/a.txt`, "a");
      const loop = (await on.hub.metadata(`${on.home}/loop`)).json;
      const shortcut = addShortcut(LOGIN, "again", loop.id);
      await on.hub.ok("PATCH", `/folders/${shortcut}/metadata`, { json: { path: `${on.home}/loop/again` } });
      const json = { path: `${on.home}/copy` };
      await on.hub.ok("POST", "/folders/copy", { query: { path: `${on.home}/loop` }, json });
      const copied = (await on.hub.contents(json.path)).json.map(({ name }) => name).toSorted();
      expect(copied).toEqual(["a.txt", "again"]);
      expect((await on.hub.bytes(`${json.path}/again/again/a.txt`)).toString()).toBe("a");
    });
  });

  describe("a document of the vendor's own editors", () => {
    itWith(on, "addDocument")("has no size, and is never overwritten by an upload of its name", async () => {
      const { addDocument = neverMissing } = on.vendor.places;
      const id = addDocument(LOGIN, "Minutes", "what was said");
      const listed = (await on.hub.contents("/")).json.find((item) => item.id === id || item.refId === id);
      expect(listed?.name).toMatch(/^Minutes/);
      expect(listed).not.toHaveProperty("size");
      const query = { path: listed?.path ?? "", overwrite: true };
      const refused = await on.refusal("POST", "/files", { query, body: "bytes" });
      expect([refused.status, refused.code]).toEqual([409, "conflict"]);
      const exported = await on.hub.call("GET", `/files/${id}`, { query: { mediaType: "text/plain" } });
      expect(exported.bytes.toString()).toBe("what was said");
      expect(exported.headers.get("content-type")).toMatch(/^text\/plain/);
      expect(exported.headers.get("content-disposition")).toMatch(/Minutes\.txt/);
      const usual = await on.hub.call("GET", `/files/${id}`);
      expect([usual.status, usual.bytes.length > 0]).toEqual([200, true]);
      const inNoFormat = await on.refusal("GET", `/files/${id}`, { query: { mediaType: "audio/flac" } });
      expect(inNoFormat.status).toBe(400);
    });
  });

  describe("names in another case", () => {
    it("of one item: a copy with overwrite onto itself loses nothing", async () => {
      const item = await on.hub.upload(`${on.home}/Case.txt`, "content");
      const request = { query: { path: item.path, overwrite: true }, json: { path: `${on.home}/CASE.txt` } };
      expect((await on.hub.call("POST", "/files/copy", request)).status).toBe(200);
      expect((await on.hub.bytes(item.path)).toString()).toBe("content");
      expect((await on.hub.bytes(`${on.home}/CASE.txt`)).toString()).toBe("content");
    });

    it.each([1, 2, 3, 4])(
      "of one item: a rename that loses its %i. answer leaves the item under its old or its new name",
      async (lost) => {
        const item = await on.hub.upload(`${on.home}/Name.txt`, "content");
        // Lost after the vendor has acted; the metadata of the item is read first.
        on.vendor.fail({ endpoint: "api", count: lost, delayMs: 0 });
        on.vendor.fail({ endpoint: "api", count: 1, reset: "after" });
        const { status } = await on.hub.call("PATCH", `/files/${item.refId}/metadata`, {
          json: { name: "NAME.txt" },
        });
        on.vendor.clearFaults();
        const names = (await on.hub.contents(on.home)).json.map(({ name }) => name);
        expect(status === 200 ? ["NAME.txt"] : ["Name.txt", "NAME.txt"]).toContain(names[0]);
        expect(names).toHaveLength(1);
        expect((await on.hub.bytes(`${on.home}/${names[0]}`)).toString()).toBe("content");
      },
    );

    it.runIf(on.traits.ignoresCase)(
      "in the folders of an item that is sent back whole: nothing is moved",
      async () => {
        const item = await on.hub.upload(`${on.home}/Folder/file.txt`, "x");
        const back = { ...item, path: item.path.replace("/Folder/", "/FOLDER/") };
        expect((await on.hub.metadata(back.path)).json.id).toBe(item.id);
        on.vendor.clearRequests();
        await on.hub.ok("PATCH", "/files/metadata", { query: { path: item.path }, json: back });
        const moves = on.vendor.requests().filter(({ path }) => path.includes("move"));
        expect(moves).toEqual([]);
      },
    );
  });

  it("half of a surrogate pair in a name is 400, and no listing fails", async () => {
    for (const [method, path, json] of [
      ["POST", "/folders", { path: `${on.home}/a\ud83d` }],
      ["PATCH", "/files/metadata", { name: "\ude00.txt" }],
      ["POST", "/files/copy", { path: `${on.home}/\ud83d.txt` }],
    ] as const) {
      await on.hub.upload(`${on.home}/b.txt`, "x", { overwrite: true });
      on.vendor.clearRequests();
      const query = method === "POST" && path === "/folders" ? {} : { query: { path: `${on.home}/b.txt` } };
      const refused = await on.refusal(method, path, { ...query, json });
      expect([refused.status, refused.field]).toEqual([400, "name" in json ? "name" : "path"]);
      expect(on.vendor.requests()).toEqual([]);
    }
    on.vendor.addFile(LOGIN, `${on.home}/half \ud83d.txt`, "x");
    expect((await on.hub.contents(on.home)).json.length).toBeGreaterThan(1);
  });
}
