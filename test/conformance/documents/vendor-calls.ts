import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { HubRequest } from "../hub-client.ts";
import { type Fixture, LOGIN } from "./fixture.ts";

const PAGE = new URL("../../../docs/vendor-calls.md", import.meta.url);

/** The column of a vendor in the table of docs/vendor-calls.md: call -> number of requests. Empty: the vendor has no column yet. */
function documentedCalls(connector: string): Record<string, number> {
  const rows = readFileSync(PAGE, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const column = rows[0]?.indexOf(connector) ?? -1;
  if (column < 0) return {};
  return Object.fromEntries(rows.slice(1).map((row) => [row[0] ?? "", Number(row[column])]));
}

/** What each call of the hub costs at the vendor. */
export function describeVendorCalls(on: Fixture): void {
  const documented = documentedCalls(on.connector);
  const isListed = Object.keys(documented).length > 0;

  describe("calls to the vendor", () => {
    it.runIf(isListed)("are as many as docs/vendor-calls.md says", async () => {
      const a = on.home;
      const b = `${a}/b`;
      const file = `${b}/counted file.txt`;
      on.vendor.addFile(LOGIN, file, "content");
      const { id } = (await on.hub.metadata(file)).json;
      const { id: folderId } = (await on.hub.metadata(b)).json;
      const counted: Record<string, number> = {};
      const count = async (row: string, method: string, path: string, request: HubRequest = {}) => {
        on.vendor.clearRequests();
        await on.hub.ok(method, path, request);
        counted[row] = on.vendor.requests().filter(({ endpoint }) => endpoint === "api").length;
      };
      const at = (path: string, more: HubRequest["query"] = {}) => ({ query: { path, ...more } });
      const noPath = { query: { calculateFolderPath: false } };

      await count("`GET /ping`", "GET", "/ping");
      await count("`GET /me`", "GET", "/me");
      await count("`GET /storage`", "GET", "/storage");
      await count("`GET /folders/contents?path=/`", "GET", "/folders/contents", at("/"));
      await count("`GET /folders/contents?path=/a/b`", "GET", "/folders/contents", at(b));
      await count("`GET /folders/{id}/contents`", "GET", `/folders/${folderId}/contents`);
      await count(
        "`GET /folders/{id}/contents?calculateFolderPath=false`",
        "GET",
        `/folders/${folderId}/contents`,
        noPath,
      );
      await count("`GET /files/metadata?path=/a/b/c.txt`", "GET", "/files/metadata", at(file));
      await count("`GET /files/{id}/metadata`", "GET", `/files/${id}/metadata`);
      await count(
        "`GET /files/{id}/metadata?calculateFolderPath=false`",
        "GET",
        `/files/${id}/metadata`,
        noPath,
      );
      await count("`GET /files?path=/a/b/c.txt`", "GET", "/files", at(file));
      await count("`GET /files/{id}`", "GET", `/files/${id}`);
      await count("`GET /files/links?path=/a/b/c.txt`", "GET", "/files/links", at(file));
      await count("`GET /files/revisions?path=/a/b/c.txt`", "GET", "/files/revisions", at(file));
      const text = { query: { text: "counted file" } };
      await count("`GET /search?text=` with one match in `/a/b`", "GET", "/search", text);
      await count("`GET /search?path=/a/b`", "GET", "/search", at(b));
      const upload = (path: string, more: HubRequest["query"] = {}) => ({ ...at(path, more), body: "new" });
      await count("`POST /files?path=/a/b/new.txt`", "POST", "/files", upload(`${b}/new.txt`));
      await count(
        "`POST /files?path=/a/b/c.txt&overwrite=true`",
        "POST",
        "/files",
        upload(file, { overwrite: true }),
      );
      await count(
        "`POST /files?path=/a/x/y/new.txt` with two missing folders",
        "POST",
        "/files",
        upload(`${a}/x/y/new.txt`),
      );
      await count("`POST /folders` `/a/b/new`", "POST", "/folders", { json: { path: `${b}/new` } });
      const to = (path: string) => ({ ...at(file), json: { path } });
      await count("`POST /files/copy` to `/a/b/copy.txt`", "POST", "/files/copy", to(`${b}/copy.txt`));
      const renamed = { ...at(`${b}/copy.txt`), json: { name: "renamed.txt" } };
      await count("`PATCH /files/metadata` to another name", "PATCH", "/files/metadata", renamed);
      await count("`PATCH /files/metadata` to `/a/c.txt`", "PATCH", "/files/metadata", to(`${a}/c.txt`));
      await count("`DELETE /files?path=/a/c.txt`", "DELETE", "/files", at(`${a}/c.txt`));
      await count("`DELETE /folders?path=/a/b`", "DELETE", "/folders", at(b));
      expect(counted).toEqual(documented);
    });
  });
}
