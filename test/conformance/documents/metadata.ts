import { describe, expect, it } from "vitest";
import type { Fixture } from "./fixture.ts";

export function describeMetadata(on: Fixture): void {
  const { refusal } = on;

  describe("metadata", () => {
    it("of the root is found by path and by id", async () => {
      const root = await on.hub.ok("GET", "/folders/metadata", { query: { path: "/" } });
      expect(root).toMatchObject({ path: "/", directory: true });
      expect(root).not.toHaveProperty("parentFolderId");
      expect(await on.hub.ok("GET", `/folders/${root.id}/metadata`)).toEqual(root);
      const { rootAlias = root.id, base } = on.traits;
      expect(await on.hub.ok("GET", `/folders/${rootAlias}/metadata`)).toEqual(root);
      const parent = (await on.hub.metadata(base === "" ? "/" : base)).json;
      const item = await on.hub.upload(`${on.home}.txt`, "x");
      expect(item.parentFolderId).toBe(parent.id);
    });

    it("moves, renames, and does both, by path and by id", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "text");
      const moved = await on.hub.ok("PATCH", "/hubs/documents/files/metadata", {
        query: { path: item.path },
        json: { path: `${on.home}/made/for it/a.txt` },
      });
      expect(moved.path).toBe(`${on.home}/made/for it/a.txt`);
      expect((await on.hub.metadata(item.path)).status).toBe(404);
      const renamed = await on.hub.ok("PATCH", `/files/${moved.id}/metadata`, { json: { name: "b.txt" } });
      expect(renamed).toMatchObject({
        name: "b.txt",
        path: `${on.home}/made/for it/b.txt`,
        parentFolderId: moved.parentFolderId,
      });
      const both = await on.hub.ok("PATCH", `/files/${renamed.id}/metadata`, {
        json: { path: `${on.home}/c.txt`, name: "loses.txt" },
      });
      expect(both).toMatchObject({ name: "c.txt", path: `${on.home}/c.txt` });
      expect((await on.hub.bytes(`${on.home}/c.txt`)).toString()).toBe("text");
    });

    it("accepts the whole object as it was answered, and a number as name", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "text");
      expect(await on.hub.ok("PATCH", `/files/${item.id}/metadata`, { json: item })).toEqual(item);
      const numeric = await on.hub.ok("PATCH", `/files/${item.id}/metadata`, { json: { name: 2026 } });
      expect(numeric).toMatchObject({ name: "2026", path: `${on.home}/2026` });
    });

    it("keeps refId after a move, and the first id is valid again after the move back", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "text");
      const refId = encodeURIComponent(item.refId ?? "");
      await on.hub.ok("PATCH", "/files/metadata", {
        query: { path: item.path },
        json: { path: `${on.home}/x/b.txt` },
      });
      expect(await on.hub.ok("GET", `/files/${refId}/metadata`)).toMatchObject({
        path: `${on.home}/x/b.txt`,
      });
      await on.hub.ok("PATCH", `/files/${refId}/metadata`, { json: { path: item.path } });
      expect(await on.hub.ok("GET", `/files/${item.id}/metadata`)).toMatchObject({
        path: item.path,
        refId: item.refId,
      });
    });

    it("moves a folder with everything in it, and a file through the folders' call too", async () => {
      await on.hub.upload(`${on.home}/from/sub/a.txt`, "text");
      const moved = await on.hub.ok("PATCH", "/folders/metadata", {
        query: { path: `${on.home}/from` },
        json: { path: `${on.home}/to/there` },
      });
      expect(moved).toMatchObject({ directory: true, path: `${on.home}/to/there` });
      expect((await on.hub.bytes(`${on.home}/to/there/sub/a.txt`)).toString()).toBe("text");
      const file = await on.hub.ok("PATCH", "/folders/metadata", {
        query: { path: `${on.home}/to/there/sub/a.txt` },
        json: { path: `${on.home}/a.txt` },
      });
      expect(file.path).toBe(`${on.home}/a.txt`);
    });

    it("renames where only the case changes", async () => {
      const item = await on.hub.upload(`${on.home}/readme.txt`, "text");
      const renamed = await on.hub.ok("PATCH", `/files/${item.id}/metadata`, {
        json: { name: "README.txt" },
      });
      expect(renamed).toMatchObject({ name: "README.txt", refId: item.refId });
      expect((await on.hub.contents(on.home)).json.map(({ name }) => name)).toEqual(["README.txt"]);
    });

    it("keeps the name when a rename of only the case fails half-way", async () => {
      const item = await on.hub.upload(`${on.home}/readme.txt`, "text");
      const { moves, movesBeforeCaseOnly: before = 0 } = on.traits;
      if (before > 0) on.vendor.fail({ ...moves, count: before, delayMs: 0 });
      // The last move is tried twice; of several moves, the first one is taken back.
      on.vendor.fail({ ...moves, count: on.traits.triesOfMove ?? 2, status: 500 });
      const json = { name: "README.txt" };
      expect((await refusal("PATCH", `/files/${item.id}/metadata`, { json })).status).toBe(502);
      on.vendor.clearFaults();
      expect((await on.hub.contents(on.home)).json.map(({ name }) => name)).toEqual(["readme.txt"]);
      expect((await on.hub.bytes(`${on.home}/readme.txt`)).toString()).toBe("text");
    });

    it("moves onto an existing file as the vendor does it, and answers 200", async () => {
      await on.hub.upload(`${on.home}/a.txt`, "a");
      await on.hub.upload(`${on.home}/b.txt`, "b");
      await on.hub.ok("PATCH", "/files/metadata", {
        query: { path: `${on.home}/a.txt` },
        json: { path: `${on.home}/b.txt` },
      });
      expect((await on.hub.metadata(`${on.home}/a.txt`)).status).toBe(404);
    });

    it("refuses to move a folder into itself, to move the root, and an invalid name", async () => {
      await on.hub.ok("POST", "/folders", { json: { path: `${on.home}/a` } });
      const query = { path: `${on.home}/a` };
      for (const path of [`${on.home}/a/b`, "relative", "/"]) {
        expect(await refusal("PATCH", "/folders/metadata", { query, json: { path } })).toMatchObject({
          status: 400,
          field: "path",
        });
      }
      expect(
        await refusal("PATCH", "/folders/metadata", { query: { path: "/" }, json: { path: "/x" } }),
      ).toMatchObject({
        status: 400,
        field: "path",
      });
      expect(await refusal("PATCH", "/folders/metadata", { query, json: { name: "a/b" } })).toMatchObject({
        status: 400,
        field: "name",
      });
      expect(await refusal("PATCH", "/folders/metadata", { query, json: { name: { no: 1 } } })).toMatchObject(
        {
          status: 400,
          field: "name",
        },
      );
    });

    it("shows the vendor's own answer only with raw, and with fields only those fields", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "text");
      expect(item).not.toHaveProperty("raw");
      const raw = await on.hub.ok("GET", "/files/metadata", { query: { path: item.path, raw: true } });
      expect(Object.values(raw.raw ?? {})).toContain("a.txt");
      const few = await on.hub.ok("GET", "/files/metadata", {
        query: { path: item.path, fields: "name,size" },
      });
      expect(few).toEqual({ name: "a.txt", size: 4 });
    });
  });
}
