import { describe, expect, it } from "vitest";
import type { HubError } from "../hub-client.ts";
import type { Fixture } from "./fixture.ts";

export function describeCopiesAndFolders(on: Fixture): void {
  const { refusal } = on;

  describe("a copy", () => {
    it("of a file replaces an existing file only with overwrite=true", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "new");
      await on.hub.upload(`${on.home}/b.txt`, "old");
      const copied = await on.hub.ok("POST", "/files/copy", {
        query: { path: item.path },
        json: { path: `${on.home}/x/c.txt` },
      });
      expect(copied).toMatchObject({ name: "c.txt", path: `${on.home}/x/c.txt`, size: 3 });
      expect(copied.refId).not.toBe(item.refId);
      const onto = { json: { path: `${on.home}/b.txt` } };
      expect(await refusal("POST", `/files/${item.id}/copy`, onto)).toMatchObject({
        status: 409,
        code: "conflict",
      });
      expect((await on.hub.bytes(`${on.home}/b.txt`)).toString()).toBe("old");
      const replaced = await on.hub.ok("POST", `/files/${item.id}/copy`, {
        ...onto,
        query: { overwrite: true },
      });
      expect(replaced).toMatchObject({ name: "b.txt", path: `${on.home}/b.txt` });
      expect((await on.hub.bytes(`${on.home}/b.txt`)).toString()).toBe("new");
      expect((await on.hub.contents(on.home)).json.map(({ name }) => name).sort()).toEqual([
        "a.txt",
        "b.txt",
        "x",
      ]);
    });

    it("leaves the existing file in place if the vendor fails at the last step of a replacement", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "new");
      const old = await on.hub.upload(`${on.home}/b.txt`, "old");
      // Drive copies and replaces with one call. The calls about the two files and the folders above must succeed.
      for (const { id } of [item, old]) await on.hub.ok("GET", `/files/${id}/metadata`);
      const { moves } = on.traits;
      const known = on.vendor.requests().filter(({ path }) => path.startsWith("/drive/v3/files/"));
      for (const { path } of known) on.vendor.fail({ path, count: 50, delayMs: 0 });
      on.vendor.fail({ ...moves, count: 10, status: 500 });
      const copy = { json: { path: `${on.home}/b.txt` }, query: { overwrite: true } };
      expect((await refusal("POST", `/files/${item.id}/copy`, copy)).status).toBe(502);
      // A vendor whose copies need a second step may fail before anything is replaced.
      expect(on.vendor.requests().some(({ status }) => status === 500)).toBe(true);
      on.vendor.clearFaults();
      const names = (await on.hub.contents(on.home)).json.map(({ name }) => name);
      expect(names.sort()).toEqual(["a.txt", "b.txt"]);
      expect((await on.hub.bytes(`${on.home}/b.txt`)).toString()).toBe("old");
    });

    it("replaces a file even if the vendor's answers to its steps are lost", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "new");
      await on.hub.upload(`${on.home}/b.txt`, "old");
      on.vendor.fail({ ...on.traits.moves, count: 2, reset: "after" });
      const copy = { json: { path: `${on.home}/b.txt` }, query: { overwrite: true } };
      await on.hub.ok("POST", `/files/${item.id}/copy`, copy);
      on.vendor.clearFaults();
      const names = (await on.hub.contents(on.home)).json.map(({ name }) => name);
      expect(names.sort()).toEqual(["a.txt", "b.txt"]);
      expect((await on.hub.bytes(`${on.home}/b.txt`)).toString()).toBe("new");
    });

    it("of a folder contains everything that is in the folder", async () => {
      for (const name of ["1.txt", "sub/2.txt", "sub/deep/3.txt"])
        await on.hub.upload(`${on.home}/from/${name}`, name);
      await on.hub.ok("POST", "/folders", { json: { path: `${on.home}/from/empty` } });
      const copied = await on.hub.ok("POST", "/folders/copy", {
        query: { path: `${on.home}/from` },
        json: { path: `${on.home}/to` },
      });
      expect(copied).toMatchObject({ directory: true, path: `${on.home}/to` });
      for (const name of ["1.txt", "sub/2.txt", "sub/deep/3.txt"]) {
        expect((await on.hub.bytes(`${on.home}/to/${name}`)).toString()).toBe(name);
      }
      expect((await on.hub.metadata(`${on.home}/to/empty`)).json.directory).toBe(true);
      expect((await on.hub.bytes(`${on.home}/from/1.txt`)).toString()).toBe("1.txt");
    });

    it("is refused for a folder into itself, without a target path, and for a file as a folder", async () => {
      const item = await on.hub.upload(`${on.home}/a/b.txt`, "x");
      const copy = (path: string, json: unknown, from = `${on.home}/a`) =>
        refusal("POST", path, { query: { path: from }, json });
      expect(await copy("/folders/copy", { path: `${on.home}/a/c` })).toMatchObject({
        status: 400,
        field: "path",
      });
      expect(await copy("/folders/copy", {})).toMatchObject({ status: 400, field: "path" });
      expect((await copy("/folders/copy", { path: `${on.home}/z` }, item.path)).status).toBe(400);
      expect((await copy("/files/copy", { path: `${on.home}/z` }, `${on.home}/none`)).status).toBe(404);
      expect((await on.hub.metadata(`${on.home}/z`)).status).toBe(404);
    });
  });

  describe("folders", () => {
    it("are created with their parents; creating the same folder again is 409", async () => {
      const folder = await on.hub.ok("POST", "/hubs/documents/folders", {
        json: { path: `${on.home}/a/b/c`, unknown: 1 },
      });
      expect(folder).toMatchObject({
        name: "c",
        path: `${on.home}/a/b/c`,
        directory: true,
        properties: {},
        tags: [],
      });
      const again = await on.hub.call<HubError>("POST", "/folders", { json: { path: `${on.home}/a/b/c` } });
      expect(again.status).toBe(409);
      expect(again.json.message).not.toContain("overwrite");
      expect(await refusal("POST", "/folders", { json: { path: null } })).toMatchObject({
        status: 400,
        field: "path",
      });
    });

    it("are deleted with everything in them, but not by the call for files; a new file at the same path has a new id", async () => {
      const item = await on.hub.upload(`${on.home}/a/b/c.txt`, "x");
      expect((await refusal("DELETE", "/files", { query: { path: `${on.home}/a` } })).status).toBe(400);
      expect((await refusal("DELETE", "/folders", { query: { path: item.path } })).status).toBe(400);
      expect((await refusal("DELETE", "/folders", { query: { path: "/" } })).status).toBe(400);
      const gone = await on.hub.call("DELETE", "/folders", { query: { path: `${on.home}/a` }, body: "null" });
      expect(gone.status).toBe(200);
      expect((await on.hub.metadata(item.path)).status).toBe(404);
      expect((await refusal("GET", `/files/${encodeURIComponent(item.refId ?? "")}`)).status).toBe(404);
      const again = await on.hub.upload(item.path, "y");
      expect(again.refId).not.toBe(item.refId);
      expect((await on.hub.metadata(item.path)).json.refId).toBe(again.refId);
    });

    it("are deleted also with emptyTrash", async () => {
      await on.hub.upload(`${on.home}/a/b.txt`, "x");
      await on.hub.ok("DELETE", "/folders", { query: { path: `${on.home}/a`, emptyTrash: true } });
      expect((await on.hub.metadata(`${on.home}/a`)).status).toBe(404);
    });

    it("list their contents, by path and by id", async () => {
      const file = await on.hub.upload(`${on.home}/b.txt`, "x");
      const folder = await on.hub.ok("POST", "/folders", { json: { path: `${on.home}/sub` } });
      await on.hub.upload(`${on.home}/sub/not listed.txt`, "y");
      const { json, headers } = await on.hub.contents(on.home);
      expect(json.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([file, folder]);
      expect(headers.get("Elements-Returned-Count")).toBe("2");
      expect(headers.get("Elements-Next-Page-Token")).toBeNull();
      const { id } = (await on.hub.metadata(on.home)).json;
      expect(await on.hub.ok("GET", `/hubs/documents/folders/${id}/contents`)).toEqual(json);
      expect((await refusal("GET", "/folders/contents", { query: { path: file.path } })).status).toBe(400);
      expect((await refusal("GET", "/folders/contents", { query: { path: `${on.home}/none` } })).status).toBe(
        404,
      );
    });
  });
}
