import { beforeAll, describe, expect, it } from "vitest";
import type { HubItem } from "../hub-client.ts";
import { type Fixture, LOGIN } from "./fixture.ts";

export function describeSearch(on: Fixture): void {
  const { refusal } = on;

  describe("search", () => {
    const { base } = on.traits;
    const below = `${base}/search here`;
    const elsewhere = `${base}/search elsewhere`;
    beforeAll(() => {
      on.vendor.addFile(LOGIN, `${below}/Minutes of June.txt`, "x");
      on.vendor.addFile(LOGIN, `${below}/deep/Minutes of July.pdf`, "x");
      on.vendor.addFile(LOGIN, `${below}/deep/other.txt`, "x");
      on.vendor.addFile(LOGIN, `${elsewhere}/Minutes of May.txt`, "x");
    });
    const find = async (query: Record<string, string>) =>
      (await on.hub.ok<HubItem[]>("GET", "/hubs/documents/search", { query }))
        .map(({ path }) => path)
        .toSorted();

    it("finds by text, everywhere or below a folder", async () => {
      const everywhere = await find({ text: "Minutes" });
      expect(everywhere.filter((path) => path.startsWith(`${base}/`))).toEqual([
        `${elsewhere}/Minutes of May.txt`,
        `${below}/Minutes of June.txt`,
        `${below}/deep/Minutes of July.pdf`,
      ]);
      expect(await find({ text: "Minutes", path: below })).toEqual([
        `${below}/Minutes of June.txt`,
        `${below}/deep/Minutes of July.pdf`,
      ]);
    });

    it("below a folder costs few calls to the vendor, however much matches elsewhere", async () => {
      const small = `${below}/deep/small`;
      for (const name of ["one", "two", "three"])
        on.vendor.addFile(LOGIN, `${small}/Matching ${name}.txt`, "x");
      for (let index = 0; index < 60; index++)
        on.vendor.addFile(LOGIN, `${elsewhere}/${index}/Matching ${index}.txt`, "x");
      for (const query of [{ path: small, text: "Matching" }, { path: small }]) {
        on.vendor.clearRequests();
        expect(await find(query)).toEqual([
          `${small}/Matching one.txt`,
          `${small}/Matching three.txt`,
          `${small}/Matching two.txt`,
        ]);
        // One for each name of the path, the folders below it, the items.
        expect(on.vendor.requests().length).toBeLessThanOrEqual(small.split("/").length - 1 + 2);
      }
    });

    it("below a folder of many folders finds all of it, in pages that join, with paths that lead back", async () => {
      const wide = `${below}/wide`;
      const paths: string[] = [];
      for (let index = 0; index < 120; index++) {
        const path = `${wide}/${index}/deeper/Wide ${index}.txt`;
        on.vendor.addFile(LOGIN, path, "x");
        paths.push(path);
      }
      const found: string[] = [];
      let nextPage: string | null = "";
      while (nextPage !== null) {
        const query = { path: wide, text: "Wide", where: "directory = false", pageSize: 50, nextPage };
        const page: Awaited<ReturnType<typeof on.hub.call<HubItem[]>>> = await on.hub.call("GET", "/search", {
          query,
        });
        expect(page.headers.get("Elements-Incomplete")).toBeNull();
        found.push(...page.json.map(({ path }) => path));
        nextPage = page.headers.get("Elements-Next-Page-Token");
      }
      expect(found.toSorted()).toEqual(paths.toSorted());
      expect((await on.hub.metadata(found[0] ?? "")).status).toBe(200);
    });

    it("narrows by extension, type, date and where", async () => {
      expect(await find({ text: "Minutes", path: below, "extensions[]": "pdf" })).toEqual([
        `${below}/deep/Minutes of July.pdf`,
      ]);
      expect(await find({ path: below, mimeType: "application/pdf" })).toEqual([
        `${below}/deep/Minutes of July.pdf`,
      ]);
      expect(await find({ path: below, where: "name like 'other'" })).toEqual([`${below}/deep/other.txt`]);
      expect(await find({ path: below, endDate: "2001-01-01", where: "directory = false" })).toEqual([]);
      const since = { path: below, startDate: "2001-01-01", where: "directory = false" };
      expect(await find({ ...since, extensions: "pdf" })).toHaveLength(1);
      expect(await refusal("GET", "/search", { query: { startDate: "soon" } })).toMatchObject({
        status: 400,
        field: "startDate",
      });
    });

    it("with the path of a file finds that file; with an unknown path it answers 404", async () => {
      expect(await find({ path: `${below}/deep/other.txt` })).toEqual([`${below}/deep/other.txt`]);
      expect((await refusal("GET", "/search", { query: { path: "/nowhere" } })).status).toBe(404);
    });

    it("without any parameter lists everything, in pages without gap or overlap", async () => {
      const inPages = async (pageSize: number): Promise<HubItem[]> => {
        const items: HubItem[] = [];
        let nextPage: string | null = "";
        while (nextPage !== null) {
          const page: Awaited<ReturnType<typeof on.hub.call<HubItem[]>>> = await on.hub.call(
            "GET",
            "/search",
            { query: { pageSize, nextPage } },
          );
          items.push(...page.json);
          nextPage = page.headers.get("Elements-Next-Page-Token");
        }
        return items;
      };
      const all = await inPages(2000);
      expect(all.map(({ path }) => path)).toEqual(expect.arrayContaining([below, `${below}/deep/other.txt`]));
      const paged = await inPages(Math.ceil(all.length / 3));
      expect(paged.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    });
  });
}
