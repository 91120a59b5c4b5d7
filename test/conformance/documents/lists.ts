import { beforeAll, describe, expect, it } from "vitest";
import { HubClient, type HubItem } from "../hub-client.ts";
import { type Fixture, LOGIN, neverMissing } from "./fixture.ts";

export function describeLists(on: Fixture): void {
  const { connector, refusal } = on;

  it.each(["short", "empty"] as const)(
    "a vendor's %s pages change nothing: lists, paths, searches and conflicts are as with full ones",
    async (pages) => {
      const names = ["one", "two", "three", "four", "five"];
      for (const name of names) on.vendor.addFile(LOGIN, `${on.home}/in/${name}/Pages ${name}.txt`, name);
      on.vendor.switches.set({ pages });
      try {
        const listed = await on.hub.contents(`${on.home}/in`);
        expect(listed.json.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
        const paged = await on.hub.contents(`${on.home}/in`, { pageSize: 3 });
        const nextPage = paged.headers.get("Elements-Next-Page-Token") ?? "";
        const rest = await on.hub.contents(`${on.home}/in`, { pageSize: 3, nextPage });
        expect([...paged.json, ...rest.json]).toEqual(listed.json);
        for (const name of names)
          expect((await on.hub.bytes(`${on.home}/in/${name}/Pages ${name}.txt`)).toString()).toBe(name);
        const query = { path: `${on.home}/in`, text: "Pages", where: "directory = false" };
        const found = await on.hub.ok<HubItem[]>("GET", "/search", { query });
        expect(found.map(({ path }) => path).toSorted()).toEqual(
          names.map((name) => `${on.home}/in/${name}/Pages ${name}.txt`).toSorted(),
        );
        const taken = await on.refusal("POST", "/folders", { json: { path: `${on.home}/in/three` } });
        expect(taken.status).toBe(409);
      } finally {
        on.vendor.switches.reset();
      }
    },
  );

  describe("lists", () => {
    const listed = `${on.traits.base}/a list`;
    const names = Array.from(
      { length: 23 },
      (_, index) => `file ${String(index).padStart(2, "0")}.${index % 3 ? "txt" : "pdf"}`,
    );

    beforeAll(async () => {
      for (const [index, name] of names.entries())
        on.vendor.addFile(LOGIN, `${listed}/${name}`, "x".repeat(index));
      await on.hub.ok("POST", "/folders", { json: { path: `${listed}/sub` } });
    });

    const pages = async (query: Record<string, string | number>) => {
      const all: HubItem[][] = [];
      let next: string | null = null;
      do {
        const { status, json, headers } = await on.hub.contents(listed, {
          ...query,
          ...(next === null ? {} : { nextPage: next }),
        });
        expect(status).toBe(200);
        expect(headers.get("Elements-Returned-Count")).toBe(String(json.length));
        all.push(json);
        next = headers.get("Elements-Next-Page-Token");
        if (next !== null) expect(next).toMatch(/^[\w-]{20,2000}$/);
      } while (next !== null && all.length < 50);
      return all;
    };
    const ids = (items: HubItem[]) => items.map(({ id }) => id);

    it.each([1, 5, 8, 12, 24, 25, 2000])("have pages of %d without gap or overlap", async (pageSize) => {
      const whole = (await on.hub.contents(listed)).json;
      expect(whole).toHaveLength(24);
      const all = await pages({ pageSize });
      expect(ids(all.flat())).toEqual(ids(whole));
      expect(all).toHaveLength(Math.ceil(24 / pageSize));
      for (const page of all.slice(0, -1)) expect(page).toHaveLength(pageSize);
    });

    it("are the same by page number, and a page past the end is empty", async () => {
      const whole = (await on.hub.contents(listed)).json;
      const [first, second] = await Promise.all(
        [1, 2].map((page) => on.hub.contents(listed, { pageSize: 7, page })),
      );
      expect(ids([...(first?.json ?? []), ...(second?.json ?? [])])).toEqual(ids(whole.slice(0, 14)));
      const past = await on.hub.contents(listed, { pageSize: 7, page: 9 });
      expect([past.status, past.json, past.headers.get("Elements-Next-Page-Token")]).toEqual([200, [], null]);
    });

    it.runIf(on.traits.losesCursors)(
      "whose cursor the vendor gives up while one call reads are read again, without gap or overlap",
      async () => {
        const { lostCursor = neverMissing() } = on.vendor;
        const whole = (await on.hub.contents(listed, { orderBy: "size asc" })).json;
        on.vendor.switches.set({ pages: "short" });
        // The second part is read; the cursor of the third is lost.
        on.vendor.fail({ path: "/", endpoint: "api", count: 2, delayMs: 0 });
        on.vendor.fail({ ...lostCursor, count: 1 });
        const sorted = await on.hub.contents(listed, { orderBy: "size asc" });
        expect([sorted.status, ids(sorted.json)]).toEqual([200, ids(whole)]);
        on.vendor.fail({ ...lostCursor, count: 1 });
        const page = await on.hub.contents(listed, { pageSize: 10 });
        expect(ids(page.json)).toEqual(ids((await on.hub.contents(listed, { pageSize: 10 })).json));
        // The caller's own cursor is not replaced: the pages before it are not known any more.
        on.vendor.fail({ ...lostCursor, count: 1 });
        const nextPage = page.headers.get("Elements-Next-Page-Token") ?? "";
        const late = await refusal("GET", "/folders/contents", {
          query: { path: listed, pageSize: 10, nextPage },
        });
        expect([late.status, late.field]).toEqual([400, "nextPage"]);
        // A vendor that gives up each cursor at once is told as such.
        on.vendor.fail({ ...lostCursor, count: 10 });
        expect(
          await refusal("GET", "/folders/contents", { query: { path: listed, pageSize: 10 } }),
        ).toMatchObject({
          status: 503,
          code: "unavailable",
        });
        on.vendor.switches.reset();
      },
    );

    it("prefer nextPage to page, and treat empty parameters as absent", async () => {
      const first = await on.hub.contents(listed, { pageSize: 10 });
      const nextPage = first.headers.get("Elements-Next-Page-Token") ?? "";
      const second = await on.hub.contents(listed, { pageSize: 10, page: 1, nextPage });
      expect(ids(second.json)).toEqual(ids((await on.hub.contents(listed, { pageSize: 10, page: 2 })).json));
      expect(
        (await on.hub.contents(listed, { pageSize: 10, nextPage: "", where: "", page: "" })).json,
      ).toEqual(first.json);
    });

    it.each([
      ["pageSize", "0"],
      ["pageSize", "2001"],
      ["pageSize", "ten"],
      ["pageSize", "1.5"],
      ["page", "0"],
      ["page", "-1"],
      ["nextPage", "garbled"],
      ["where", "name ="],
      ["where", "nothing = 1"],
      ["orderBy", "nothing"],
      ["raw", "perhaps"],
    ])("refuse %s=%s with a 400 that names the parameter", async (field, value) => {
      expect(
        await refusal("GET", "/folders/contents", { query: { path: listed, [field]: value } }),
      ).toMatchObject({
        status: 400,
        field,
      });
    });

    it("accept a nextPage token only for the call that returned it", async () => {
      const first = await on.hub.contents(listed, { pageSize: 10 });
      const nextPage = first.headers.get("Elements-Next-Page-Token") ?? "";
      for (const query of [{ path: "/" }, { path: listed, where: "size > 1" }]) {
        expect(await refusal("GET", "/folders/contents", { query: { ...query, nextPage } })).toMatchObject({
          status: 400,
          field: "nextPage",
        });
      }
      const other = await on.app.connect(connector, { login: LOGIN });
      const foreign = await new HubClient(on.platform.baseUrl, other.token).contents(listed, { nextPage });
      expect(foreign.status).toBe(400);
    });

    it("are filtered by where, and the filtered pages have no gap or overlap", async () => {
      const pdf = names.filter((name) => name.endsWith(".pdf"));
      const found = await pages({ pageSize: 3, where: "extension='pdf'" });
      expect(
        found
          .flat()
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(pdf);
      expect(found).toHaveLength(Math.ceil(pdf.length / 3));
      const folders = await on.hub.contents(listed, { where: "directory='true'" });
      expect(folders.json.map(({ name }) => name)).toEqual(["sub"]);
      expect(folders.headers.get("Elements-Total-Count")).toBe("1");
      const some = await on.hub.contents(listed, {
        where: "name like 'FILE 1' and size>=15 or name in('sub')",
      });
      expect(some.json.map(({ name }) => name).toSorted()).toEqual([...names.slice(15, 20), "sub"]);
    });

    it("are sorted by orderBy, across pages", async () => {
      const found = await pages({ pageSize: 5, orderBy: "size desc", where: "directory = false" });
      expect(found.flat().map(({ size }) => size)).toEqual(
        Array.from({ length: 23 }, (_, index) => 22 - index),
      );
      const byName = (await on.hub.contents(listed, { orderBy: "name" })).json.map(({ name }) => name);
      expect(byName).toEqual([...names, "sub"]);
    });

    it("show raw, only some fields, or no path when the caller asks for that", async () => {
      const raw = await on.hub.contents(listed, { raw: true, pageSize: 2 });
      for (const item of raw.json) expect(Object.values(item.raw ?? {})).toContain(item.name);
      const few = await on.hub.contents(listed, { fields: "name", where: "name = 'sub'" });
      expect(few.json).toEqual([{ name: "sub" }]);
      const { id } = (await on.hub.metadata(listed)).json;
      const bare = await on.hub.ok<HubItem[]>("GET", `/folders/${id}/contents`, {
        query: { calculateFolderPath: false },
      });
      for (const item of bare) expect(item).not.toHaveProperty("path");
    });
  });
}
