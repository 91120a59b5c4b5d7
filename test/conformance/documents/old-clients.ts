import { beforeAll, describe, expect, it } from "vitest";
import type { HubError, HubItem } from "../hub-client.ts";
import { type Fixture, LOGIN } from "./fixture.ts";

/** What clients of the original API send and expect, beyond what a new client would. */
export function describeOldClients(on: Fixture): void {
  const { refusal } = on;

  describe("an old client", () => {
    const below = `${on.traits.base}/old clients`;
    beforeAll(async () => {
      on.vendor.clearFaults();
      on.vendor.addFile(LOGIN, `${below}/a.txt`, "x");
      on.vendor.addFile(LOGIN, `${below}/b.pdf`, "x");
      on.vendor.addFile(LOGIN, `${below}/c.doc`, "x");
      await on.hub.ok("POST", "/folders", { json: { path: `${below}/empty` } });
    });
    const search = (query: Record<string, string | string[]>) =>
      on.hub.ok<HubItem[]>("GET", "/search", { query });
    const names = async (query: Record<string, string | string[]>) =>
      (await search(query)).map(({ name }) => name).toSorted();

    it.each([
      ["repeated", { "extensions[]": ["txt", "pdf"] }],
      ["joined under the name with brackets", { "extensions[]": "txt,pdf" }],
      ["joined under the plain name", { extensions: "txt, pdf" }],
      ["in several of these forms at once", { "extensions[]": "txt", extensions: "pdf" }],
    ])("sends a list in a query %s", async (_form, query) => {
      expect(await names({ path: below, ...query })).toEqual(["a.txt", "b.pdf"]);
    });

    it("selects fields by a joined list", async () => {
      const [item] = await search({ path: `${below}/a.txt`, "fields[]": "name,size" });
      expect(item).toEqual({ name: "a.txt", size: 1 });
    });

    it.each(["a.txt", "empty"])(
      "searches at the path of %s and gets that item, whatever the text",
      async (name) => {
        for (const query of [{}, { text: "something else" }, { pageSize: "1" }]) {
          expect((await search({ path: `${below}/${name}`, ...query })).map(({ path }) => path)).toEqual([
            `${below}/${name}`,
          ]);
        }
        expect(await search({ path: `${below}/${name}`, page: "2", pageSize: "1" })).toEqual([]);
        expect(await search({ path: `${below}/${name}`, endDate: "2001-01-01", mimeType: "a/b" })).toEqual(
          [],
        );
      },
    );

    it("searches a folder and gets what is below it, not the folder; also when the text matches nothing", async () => {
      expect(await names({ path: below })).toEqual(["a.txt", "b.pdf", "c.doc", "empty"]);
      expect(await names({ path: below, text: "nothing has this" })).toEqual([]);
    });

    it("sends the offset of a date with a plus that it did not encode", async () => {
      const path = `${on.hub.baseUrl}/search?path=${encodeURIComponent(`${below}/a.txt`)}`;
      const find = async (query: string) => (await on.hub.ok<HubItem[]>("GET", `${path}&${query}`)).length;
      expect(await find("startDate=2001-01-02T03:04:05+02:00")).toBe(1);
      expect(await find("endDate=2001-01-02T03:04:05.678+0200")).toBe(0);
      const where = encodeURIComponent("modifiedDate > '2001-01-02T03:04:05").replaceAll("%20", "+");
      expect(await find(`where=${where}+02:00'`)).toBe(1);
    });

    it("writes double slashes in a path", async () => {
      const { id } = await on.hub.ok<HubItem>("GET", "/files/metadata", {
        query: { path: `${below}/a.txt` },
      });
      for (const path of [
        "//hubs/documents/files/metadata",
        "/hubs//documents//files//metadata",
        "//files/metadata",
      ]) {
        expect(await on.hub.ok("GET", path, { query: { path: `${below}/a.txt` } })).toMatchObject({ id });
      }
      expect(await on.hub.ok("GET", `//files//${id}//metadata/`)).toMatchObject({ id });
    });

    it("asks for custom objects and gets none", async () => {
      for (const path of ["/objects", "/hubs/documents/objects"]) {
        expect(await on.hub.ok("GET", path)).toEqual([]);
      }
    });

    it("reads one revision by path", async () => {
      const query = { path: `${below}/a.txt` };
      const [latest] = await on.hub.ok<{ id: string }[]>("GET", "/files/revisions", { query });
      const id = encodeURIComponent(latest?.id ?? "");
      expect(await on.hub.ok("GET", `/files/revisions/${id}`, { query })).toEqual(latest);
      expect((await refusal("GET", `/files/revisions/${id}`)).field).toBe("path");
    });

    it.each([
      ["DELETE", "/files", "teamDriveId", "0ADrive"],
      ["GET", "/folders/contents", "teamDriveId", "0ADrive"],
      ["GET", "/search", "includeTeamDrives", "true"],
      ["POST", "/files/copy", "includeTeamDrives", "TRUE"],
      ["GET", "/files/links", "visibility", "team_only"],
      ["GET", "/files/links", "password", "secret"],
      ["GET", "/files/links", "expires", "2030-01-01T00:00:00Z"],
    ])(
      "that wants %s %s to act otherwise by the parameter %s is refused, and nothing is done",
      async (method, path, name, value) => {
        // A vendor that has shared drives acts in them.
        if (/TeamDrive/i.test(name) && on.traits.has.includes("addSharedDrive")) return;
        const query = { path: `${below}/a.txt` };
        const json = method === "POST" ? { json: { path: `${below}/copied.txt` } } : {};
        on.vendor.clearRequests();
        expect(await refusal(method, path, { query: { ...query, [name]: value }, ...json })).toMatchObject({
          status: 501,
          code: "not_supported",
          field: name,
        });
        expect(on.vendor.requests()).toEqual([]);
        expect((await on.hub.metadata(query.path)).status).toBe(200);
      },
    );

    const isForMembers = on.traits.memberConfiguration !== undefined;
    it.each(isForMembers ? ["Subsite"] : ["Subsite", "Elements-As-Team-Member"])(
      "that wants to act elsewhere by the header %s is refused, through the proxy too where it is ours",
      async (name) => {
        const headers = { [name]: "somebody" };
        const query = { path: `${below}/a.txt` };
        expect(await refusal("DELETE", "/files", { query, headers })).toMatchObject({
          status: 501,
          field: name.toLowerCase(),
        });
        if (name.startsWith("Elements-")) {
          const through = await on.hub.call<HubError>("POST", "/proxy/2/files/delete_v2", {
            headers,
            json: query,
          });
          expect([through.status, through.json.code]).toEqual([501, "not_supported"]);
          expect(through.headers.get("elements-error-source")).toBe("linkspan");
        }
        expect((await on.hub.metadata(query.path)).status).toBe(200);
      },
    );

    it("that sends these empty or false is served", async () => {
      const headers = { Subsite: "", "Elements-As-Team-Member": "false" };
      const query = { path: `${below}/a.txt`, teamDriveId: "", includeTeamDrives: "False" };
      expect((await on.hub.call("GET", "/files/metadata", { query, headers })).status).toBe(200);
      const links = { path: `${below}/a.txt`, password: "", expires: "", visibility: "" };
      expect((await on.hub.call("GET", "/files/links", { query: links })).status).toBe(200);
    });

    it("reads the length of an error, and of a vendor's error its words", async () => {
      const missing = await on.hub.call<HubError>("GET", "/files/metadata", { query: { path: "/no such" } });
      expect(missing.status).toBe(404);
      expect(missing.headers.get("content-length")).toBe(String(missing.bytes.length));
      const vendorCode = {
        status: 400,
        body: '{"error":{"message":"Words of the vendor"}}',
        contentType: "application/json",
      };
      on.vendor.fail({ endpoint: "api", ...vendorCode });
      const refused = await on.hub.call<HubError>("GET", "/ping");
      expect(refused.json).toMatchObject({ providerMessage: "Words of the vendor" });
      expect(refused.headers.get("content-length")).toBe(String(refused.bytes.length));
    });
  });
}
