import { beforeAll, describe, expect, it } from "vitest";
import type { HubItem } from "../hub-client.ts";
import { type Fixture, itWith, LOGIN, neverMissing } from "./fixture.ts";

/** Drives of the user's teams: calls about them, and calls that act in them. */
export function describeTeamDrives(on: Fixture): void {
  const hasDrives = on.traits.has.includes("addSharedDrive");
  const list = (query: Record<string, unknown> = {}) =>
    on.hub.ok<HubItem[]>("GET", "/team-drives", { query: query as Record<string, string> });
  const names = (items: readonly HubItem[]) => items.map(({ name }) => name);

  describe("drives of teams", () => {
    it.skipIf(hasDrives)("where the vendor has none, are 501", async () => {
      for (const [method, path] of [
        ["GET", "/team-drives"],
        ["POST", "/team-drives"],
        ["GET", "/team-drives/1"],
        ["DELETE", "/hubs/documents/team-drives/1"],
      ] as const) {
        const json = method === "POST" ? { json: { name: "x" } } : {};
        expect(await on.refusal(method, path, json)).toMatchObject({ status: 501, code: "not_supported" });
      }
    });

    itWith(on, "addSharedDrive")("are made, listed in pages, read, renamed and deleted", async () => {
      const made: HubItem[] = [];
      for (const name of ["Team one", "Team two", "Team three"])
        made.push(await on.hub.ok("POST", "/team-drives", { json: { name } }));
      const [one, two] = made as [HubItem, HubItem];
      expect(one).toMatchObject({ name: "Team one", directory: true, path: "/Shared drives/Team one" });
      expect(await on.hub.ok("GET", `/team-drives/${one.id}`)).toEqual(one);
      const all = await list();
      expect(names(all)).toEqual(expect.arrayContaining(["Team one", "Team two", "Team three"]));
      const page = await on.hub.call<HubItem[]>("GET", "/team-drives", {
        query: { pageSize: all.length - 1 },
      });
      const nextPage = page.headers.get("Elements-Next-Page-Token") ?? "";
      const rest = await list({ pageSize: all.length - 1, nextPage });
      expect([...page.json, ...rest]).toEqual(all);
      const renamed = await on.hub.ok("PATCH", `/team-drives/${two.id}`, { json: { name: "Team 2" } });
      expect([renamed.id, renamed.path]).toEqual([two.id, "/Shared drives/Team 2"]);
      const back = await on.hub.ok("PATCH", "/folders/metadata", {
        query: { path: renamed.path },
        json: { name: "Team two" },
      });
      expect([back.id, back.path]).toEqual([two.id, two.path]);
      await on.hub.upload(`${one.path}/a.txt`, "x");
      expect((await on.refusal("DELETE", `/team-drives/${one.id}`)).status).toBe(403);
      await on.hub.ok("DELETE", `/files`, { query: { path: `${one.path}/a.txt` } });
      for (const { id } of made) await on.hub.ok("DELETE", `/team-drives/${id}`);
      expect(names(await list())).not.toContain("Team one");
      expect((await on.refusal("GET", `/team-drives/${one.id}`)).status).toBe(404);
      expect((await on.refusal("POST", "/team-drives", { json: { name: "" } })).field).toBe("name");
    });

    itWith(on, "addSharedDrive")("are not made by a path: nothing else can be in their list", async () => {
      const upload = { query: { path: "/Shared drives/a.txt" }, body: "x" };
      expect(await on.refusal("POST", "/files", upload)).toMatchObject({ status: 400, field: "path" });
      const folder = { json: { path: "/Shared drives/Mistyped/b" } };
      expect(await on.refusal("POST", "/folders", folder)).toMatchObject({ status: 400, field: "path" });
      expect(names(await list())).not.toContain("Mistyped");
    });
  });

  describe("a call with teamDriveId", () => {
    let teamDriveId = "";
    beforeAll(() => {
      teamDriveId = on.vendor.places.addSharedDrive?.(LOGIN, "Legal", "plan.txt").drive ?? "";
    });

    itWith(on, "addSharedDrive")(
      "acts in that drive, and not at the same path of the user's own",
      async () => {
        const path = `${on.home}/a.txt`;
        await on.hub.upload(path, "mine");
        const uploaded = await on.hub.upload(path, "theirs", { teamDriveId });
        expect(uploaded.path).toBe(`/Shared drives/Legal${path}`);
        const query = { path, teamDriveId };
        on.vendor.clearRequests();
        expect(await on.hub.ok("GET", "/files/metadata", { query })).toEqual(uploaded);
        // The drives, and one for each name of the path.
        expect(on.vendor.requests().length).toBeLessThanOrEqual(1 + path.split("/").length - 1);
        const bytes = await on.hub.call("GET", "/files", { query });
        expect(bytes.bytes.toString()).toBe("theirs");
        const copy = await on.hub.ok("POST", "/files/copy", { query, json: { path: `${on.home}/copy.txt` } });
        expect(copy.path).toBe(`/Shared drives/Legal${on.home}/copy.txt`);
        const folder = await on.hub.ok("POST", "/folders", {
          query: { teamDriveId },
          json: { path: `${on.home}/folder` },
        });
        const moved = await on.hub.ok("PATCH", "/files/metadata", {
          query: { path: copy.path, teamDriveId },
          json: { path: `${on.home}/folder/moved.txt` },
        });
        expect(moved.path).toBe(`${folder.path}/moved.txt`);
        // The object that an answer showed may be sent back.
        expect(
          await on.hub.ok("PATCH", "/files/metadata", {
            query: { path: moved.path, teamDriveId },
            json: moved,
          }),
        ).toEqual(moved);
        await on.hub.ok("DELETE", "/files", { query });
        expect((await on.hub.bytes(path)).toString()).toBe("mine");
        expect((await on.hub.metadata(uploaded.path)).status).toBe(404);
        expect((await on.hub.contents(on.home)).json.map(({ name }) => name)).toEqual(["a.txt"]);
      },
    );

    itWith(on, "addSharedDrive")("lists and searches that drive alone", async () => {
      on.vendor.addFile(LOGIN, `${on.home}/plan of mine.txt`, "x");
      const other = on.vendor.places.addSharedDrive?.(LOGIN, "Not legal", "plan.txt");
      const deep = await on.hub.upload("/deep/er/plan two.txt", "x", { teamDriveId });
      for (const query of [{ teamDriveId }, { teamDriveId, path: "/" }]) {
        const root = await on.hub.ok<HubItem[]>("GET", "/folders/contents", { query });
        expect(root.map(({ path }) => path)).toContain("/Shared drives/Legal/plan.txt");
        on.vendor.clearRequests();
        const found = await on.hub.ok<HubItem[]>("GET", "/search", { query: { ...query, text: "plan" } });
        expect(found.map(({ path }) => path).toSorted()).toEqual([
          "/Shared drives/Legal/deep/er/plan two.txt",
          "/Shared drives/Legal/plan.txt",
        ]);
        // The drives, the search, and for the one deep item its two folders and the top folder of the drive.
        expect(on.vendor.requests().length).toBeLessThanOrEqual(6);
        const quick = { ...query, text: "plan", calculateFolderPath: false };
        on.vendor.clearRequests();
        expect(await on.hub.ok<HubItem[]>("GET", "/search", { query: quick })).toHaveLength(2);
        expect(on.vendor.requests().length).toBeLessThanOrEqual(2);
      }
      const below = await on.hub.ok<HubItem[]>("GET", "/search", { query: { teamDriveId, path: "/deep" } });
      expect(below.map(({ id }) => id)).toContain(deep.id);
      expect(below.map(({ id }) => id)).not.toContain(other?.file);
    });

    itWith(on, "addSharedDrive")(
      "of an unknown drive is 404, and an id names its item whatever the drive",
      async () => {
        const query = { path: "/plan.txt", teamDriveId: "0AUnknown" };
        expect((await on.refusal("GET", "/files/metadata", { query })).status).toBe(404);
        expect((await on.refusal("GET", "/search", { query: { teamDriveId: "0AUnknown" } })).status).toBe(
          404,
        );
        const item = await on.hub.upload(`${on.home}/b.txt`, "x");
        expect(
          (await on.hub.call("GET", `/files/${item.id}/metadata`, { query: { teamDriveId } })).json,
        ).toEqual(item);
        const ping = await on.refusal("GET", "/ping", { query: { teamDriveId } });
        expect([ping.status, ping.field]).toEqual([501, "teamDriveId"]);
      },
    );
  });

  describe("a call with includeTeamDrives", () => {
    itWith(on, "addSharedDrive")("shows the drives in the root folder's list, and in no other", async () => {
      const { addSharedDrive = neverMissing } = on.vendor.places;
      const { drive } = addSharedDrive(LOGIN, "Shown", "a.txt");
      const ids = async (query: Record<string, unknown>) =>
        (await on.hub.contents("/", { pageSize: 2000, ...query })).json.map(({ id }) => id);
      expect(await ids({})).not.toContain(drive);
      const shown = await ids({ includeTeamDrives: true });
      expect(shown).toContain(drive);
      const pages: string[] = [];
      let nextPage: string | null = "";
      while (nextPage !== null) {
        const query = { includeTeamDrives: true, pageSize: Math.ceil(shown.length / 3), nextPage };
        const page: Awaited<ReturnType<typeof on.hub.contents>> = await on.hub.contents("/", query);
        pages.push(...page.json.map(({ id }) => id));
        nextPage = page.headers.get("Elements-Next-Page-Token");
      }
      expect(pages).toEqual(shown);
      await on.hub.upload(`${on.home}/b.txt`, "x");
      expect((await on.hub.contents(on.home, { includeTeamDrives: true })).json).toHaveLength(1);
    });

    itWith(
      on,
      "addSharedDrive",
      "leaveDrivesOut",
    )("searches in them, too, and says when the vendor has left some out", async () => {
      const { addSharedDrive = neverMissing, leaveDrivesOut = neverMissing } = on.vendor.places;
      on.vendor.addFile(LOGIN, `${on.home}/zebra.txt`, "x");
      addSharedDrive(LOGIN, "Zoo", "zebra.txt");
      const find = (includeTeamDrives: boolean) =>
        on.hub.call<HubItem[]>("GET", "/search", { query: { text: "zebra", includeTeamDrives } });
      const paths = async (includeTeamDrives: boolean) =>
        (await find(includeTeamDrives)).json.map(({ path }) => path).toSorted();
      expect(await paths(false)).toEqual([`${on.home}/zebra.txt`]);
      expect(await paths(true)).toEqual(["/Shared drives/Zoo/zebra.txt", `${on.home}/zebra.txt`]);
      expect((await find(true)).headers.get("Elements-Incomplete")).toBeNull();
      leaveDrivesOut(LOGIN, true);
      const incomplete = await find(true);
      leaveDrivesOut(LOGIN, false);
      expect(incomplete.headers.get("Elements-Incomplete")).toBe("true");
      expect(incomplete.headers.get("Elements-Total-Count")).toBeNull();
      expect(incomplete.json).toHaveLength(1);
    });
  });
}
