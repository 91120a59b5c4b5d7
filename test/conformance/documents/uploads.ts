import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { HubItem } from "../hub-client.ts";
import { type Fixture, ISO_SECONDS } from "./fixture.ts";

export function describeUploads(on: Fixture): void {
  const { refusal } = on;

  describe("an upload", () => {
    it("of a form's file creates missing parent folders and answers the metadata", async () => {
      const path = `${on.home}/deep/er/Report.txt`;
      const item = await on.hub.upload(path, "hello world", { size: 11 });
      expect(item).toMatchObject({
        name: "Report.txt",
        path,
        directory: false,
        size: 11,
        tags: [],
        createdDate: expect.stringMatching(ISO_SECONDS),
        modifiedDate: expect.stringMatching(ISO_SECONDS),
        parentFolderId: expect.any(String),
        refId: expect.any(String),
        properties: { mimeType: "text/plain", hash: expect.any(String) },
      });
      const folder = (await on.hub.metadata(`${on.home}/deep/er`)).json;
      expect(folder.id).toBe(item.parentFolderId);
      expect(folder).toMatchObject({ directory: true, properties: {} });
      expect(folder).not.toHaveProperty("size");
      expect((await on.hub.metadata(path)).json).toEqual(item);
    });

    it("of a raw body keeps its type and every byte", async () => {
      const bytes = randomBytes(300_000);
      const item = await on.hub.ok("POST", "/files", {
        query: { path: `${on.home}/picture.png` },
        body: bytes,
        headers: { "Content-Type": "image/png" },
      });
      expect(item).toMatchObject({ size: 300_000, properties: { mimeType: "image/png" } });
      expect((await on.hub.bytes(`${on.home}/picture.png`)).equals(bytes)).toBe(true);
    });

    it("can be empty, and can have a name without an extension", async () => {
      expect(await on.hub.upload(`${on.home}/empty`, "")).toMatchObject({
        size: 0,
        properties: { mimeType: "application/octet-stream" },
      });
      expect(await on.hub.bytes(`${on.home}/empty`)).toHaveLength(0);
      await on.hub.ok("POST", "/files", {
        query: { path: `${on.home}/raw-empty.txt` },
        body: new Uint8Array(0),
      });
      expect(await on.hub.bytes(`${on.home}/raw-empty.txt`)).toHaveLength(0);
    });

    it("replaces an existing file only with overwrite=true", async () => {
      const path = `${on.home}/a.txt`;
      const first = await on.hub.upload(path, "one");
      const form = new FormData();
      form.set("file", new File(["one"], "a.txt"));
      expect(await refusal("POST", "/files", { query: { path }, body: form })).toMatchObject({
        status: 409,
        code: "conflict",
      });
      expect((await on.hub.bytes(path)).toString()).toBe("one");

      const second = await on.hub.upload(path, "second", { overwrite: true });
      expect(second).toMatchObject({ refId: first.refId, size: 6 });
      expect(second.id === first.id).toBe(on.traits.versionsHaveIds !== true);
      expect((await on.hub.bytes(path)).toString()).toBe("second");
      expect((await on.hub.contents(on.home)).json).toHaveLength(1);
    });

    it("does not replace a folder", async () => {
      await on.hub.upload(`${on.home}/x/a.txt`, "a");
      const form = new FormData();
      form.set("file", new File(["b"], "x"));
      const answer = await refusal("POST", "/files", {
        query: { path: `${on.home}/x`, overwrite: true },
        body: form,
      });
      expect(answer.status).toBe(409);
      expect((await on.hub.bytes(`${on.home}/x/a.txt`)).toString()).toBe("a");
    });

    it("goes into the folder of folderId, whatever folder the path names", async () => {
      const folder = await on.hub.ok("POST", "/folders", { json: { path: `${on.home}/right` } });
      const item = await on.hub.upload("/wrong/place/a.txt", "x", { folderId: folder.id });
      expect(item.path).toBe(`${on.home}/right/a.txt`);
      const form = new FormData();
      form.set("file", new File(["y"], "named by the form.txt"));
      const named = await on.hub.ok("POST", "/files", { query: { folderId: folder.id }, body: form });
      expect(named.path).toBe(`${on.home}/right/named by the form.txt`);
      expect((await on.hub.metadata("/wrong")).status).toBe(404);
    });

    it.each([
      ["no path", {}, "x", "path"],
      ["a relative path", { path: "a.txt" }, "x", "path"],
      ["the root as path", { path: "/" }, "x", "path"],
      ["an invalid flag", { path: "/a.txt", overwrite: "perhaps" }, "x", "overwrite"],
      ["an invalid size", { path: "/a.txt", size: "big" }, "x", "size"],
    ])("with %s is a 400 that names the parameter", async (_, query, body, field) => {
      expect(await refusal("POST", "/files", { query, body })).toMatchObject({ status: 400, field });
      expect((await on.hub.metadata("/a.txt")).status).toBe(404);
    });

    it("of a form without a file, or with a broken body, is 400", async () => {
      const form = new FormData();
      form.set("other", "field");
      const query = { path: `${on.home}/a.txt` };
      expect(await refusal("POST", "/files", { query, body: form })).toMatchObject({
        status: 400,
        field: "file",
      });
      const broken = {
        query,
        body: "--x\r\n",
        headers: { "Content-Type": "multipart/form-data; boundary=x" },
      };
      expect(await refusal("POST", "/files", broken)).toMatchObject({ status: 400, field: "body" });
      expect((await on.hub.metadata(on.home)).status).toBe(404);
    });
  });

  describe("descriptions and tags", () => {
    it("are kept in the order given, whether the vendor has them or not; lists and searches show them", async () => {
      const tags = ["zebra", "ärger groß", "apple"];
      const query = { path: `${on.home}/a.txt`, "tags[]": tags, description: "what it is" };
      const { json: item, headers } = await on.hub.call<HubItem>("POST", "/files", { query, body: "x" });
      expect(headers.get("elements-not-kept")).toBeNull();
      expect(item).toMatchObject({ tags, description: "what it is" });
      expect((await on.hub.contents(on.home)).json).toEqual([item]);
      const changed = await on.hub.ok("PATCH", `/files/${item.id}/metadata`, {
        json: { ...item, tags: ["one", "with, comma"], description: "other" },
      });
      const details = { tags: ["one", "with, comma"], description: "other" };
      expect(changed).toMatchObject({ ...details, path: item.path });
      expect((await on.hub.metadata(item.path)).json).toMatchObject(details);
      const found = await on.hub.ok<HubItem[]>("GET", "/search", {
        query: { path: on.home, "tags[]": "one" },
      });
      expect(found.map(({ id }) => id)).toEqual([item.id]);
    });

    it("belong to the item: they move with it, a copy has them too, and a later item of the name does not", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "x", { "tags[]": "mine", description: "what" });
      const path = `${on.home}/b/c.txt`;
      const moved = await on.hub.ok("PATCH", `/files/${item.id}/metadata`, { json: { path } });
      expect([moved.path, moved.tags]).toEqual([path, ["mine"]]);
      const copied = await on.hub.ok("POST", "/files/copy", {
        query: { path },
        json: { path: `${on.home}/copy.txt` },
      });
      expect(copied.tags).toEqual(["mine"]);
      await on.hub.ok("PATCH", "/files/metadata", { query: { path }, json: { tags: [], description: "" } });
      expect((await on.hub.metadata(path)).json).toMatchObject({ tags: [] });
      expect((await on.hub.metadata(copied.path)).json).toMatchObject({ tags: ["mine"] });
      await on.hub.ok("DELETE", "/files", { query: { path: copied.path } });
      expect((await on.hub.upload(copied.path, "y")).tags).toEqual([]);
    });

    it("stay when the bytes are replaced, and are kept of folders", async () => {
      const path = `${on.home}/a.txt`;
      await on.hub.upload(path, "x", { "tags[]": "mine" });
      expect((await on.hub.upload(path, "yy", { overwrite: true })).tags).toEqual(["mine"]);
      const json = { path: `${on.home}/folder`, tags: ["of a folder"] };
      expect((await on.hub.ok("POST", "/folders", { json })).tags).toEqual(["of a folder"]);
      const listed = (await on.hub.contents(on.home)).json;
      expect(listed.map(({ name, tags }) => [name, tags]).sort()).toEqual([
        ["a.txt", ["mine"]],
        ["folder", ["of a folder"]],
      ]);
    });

    it("are bounded, before anything is uploaded", async () => {
      const item = await on.hub.upload(`${on.home}/b.txt`, "x");
      const change = { json: { description: "x".repeat(20_001), name: "c.txt" } };
      expect(await refusal("PATCH", `/files/${item.id}/metadata`, change)).toMatchObject({
        status: 400,
        field: "description",
      });
      expect((await on.hub.metadata(item.path)).status).toBe(200);
    });
  });
}
