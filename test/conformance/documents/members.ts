import { beforeAll, describe, expect, it } from "vitest";
import { HubClient, type HubItem } from "../hub-client.ts";
import { type Fixture, LOGIN } from "./fixture.ts";

interface Member {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly status: string;
}

/** A connection of a team: calls act for the member that they name, or for the admin who has connected the team. */
export function describeMembers(on: Fixture): void {
  describe.runIf(on.traits.memberConfiguration)("the members of a team", () => {
    const other = "colleague@example.com";
    let colleague: Member;
    const as = (member: string) => ({ headers: { "Elements-As-Team-Member": member } });
    const names = async (hub: HubClient, member?: string) => {
      const query = { path: "/" };
      const items = await hub.ok<HubItem[]>("GET", "/folders/contents", {
        query,
        ...(member === undefined ? {} : as(member)),
      });
      return items.map(({ name }) => name);
    };

    beforeAll(async () => {
      on.vendor.clearFaults();
      on.vendor.addAccount({ login: other, name: "Colette League", email: other });
      on.vendor.addFile(other, "/of the colleague.txt", "theirs");
      const all = await on.hub.ok<Member[]>("GET", "/hubs/documents/members");
      colleague = all.find(({ email }) => email === other) as Member;
    });

    it("are listed, in pages", async () => {
      const all = await on.hub.ok<Member[]>("GET", "/hubs/documents/members");
      expect(all.map(({ email }) => email)).toEqual(expect.arrayContaining([LOGIN, other]));
      expect(colleague).toEqual({
        id: expect.any(String),
        email: other,
        name: "Colette League",
        status: "active",
      });
      const first = await on.hub.call<Member[]>("GET", "/members", { query: { pageSize: 1 } });
      expect(first.json).toEqual(all.slice(0, 1));
      const nextPage = first.headers.get("Elements-Next-Page-Token") ?? "";
      const second = await on.hub.call<Member[]>("GET", "/members", { query: { pageSize: 1, nextPage } });
      expect(second.json).toEqual(all.slice(1, 2));
    });

    it("are acted for by their id or e-mail address; without the header the admin acts", async () => {
      expect(await names(on.hub, colleague.id)).toEqual(["of the colleague.txt"]);
      expect(await names(on.hub, other)).toEqual(["of the colleague.txt"]);
      expect(await names(on.hub)).not.toContain("of the colleague.txt");
      expect(await on.hub.ok("GET", "/hubs/documents/me")).toMatchObject({ email: LOGIN });
      expect(await on.hub.ok("GET", "/hubs/documents/me", as(other))).toMatchObject({ email: other });
      const query = { path: "/made for them.txt" };
      await on.hub.ok("POST", "/files", { query, body: "x", ...as(colleague.id) });
      expect((await on.hub.metadata(query.path)).status).toBe(404);
      await on.hub.ok("DELETE", "/files", { query, ...as(colleague.id) });
    });

    it("have lists of their own: nobody goes on with the page of another member", async () => {
      on.vendor.addFile(other, "/second of the colleague.txt", "theirs");
      const query = { path: "/", pageSize: 1 };
      const page = await on.hub.call("GET", "/folders/contents", { query, ...as(other) });
      const nextPage = page.headers.get("Elements-Next-Page-Token") ?? "";
      const next = { ...query, nextPage };
      const refused = await on.refusal("GET", "/folders/contents", { query: next });
      expect([refused.status, refused.field]).toEqual([400, "nextPage"]);
      const { status } = await on.hub.call("GET", "/folders/contents", { query: next, ...as(other) });
      expect(status).toBe(200);
    });

    it("that nobody has are refused before anything is done", async () => {
      on.vendor.addFile(LOGIN, "/stays.txt", "mine");
      for (const [member, status] of [
        ["nobody@example.com", 400],
        ["nobody", 400],
        ["dbmid:nobody", 403],
      ] as const) {
        const refused = await on.refusal("DELETE", "/files", {
          query: { path: "/stays.txt" },
          ...as(member),
        });
        expect([member, refused.status]).toEqual([member, status]);
      }
      expect((await on.hub.metadata("/stays.txt")).status).toBe(200);
    });

    it("own the link that is made for them", async () => {
      const query = { path: "/of the colleague.txt" };
      const links = await on.hub.ok<{ cloudElementsLink: string }>("GET", "/files/links", {
        query,
        ...as(other),
      });
      const answer = await new HubClient(on.platform.baseUrl).call("GET", links.cloudElementsLink, as(LOGIN));
      expect([answer.status, answer.bytes.toString()]).toEqual([200, "theirs"]);
    });

    it("are named by the instance's configuration, too; the header comes first", async () => {
      const { id, token } = await on.app.connect(on.connector, { login: LOGIN });
      const configuration = { [on.traits.memberConfiguration ?? ""]: other };
      expect((await on.app.platform("PATCH", `/instances/${id}`, { configuration })).status).toBe(200);
      const hub = new HubClient(on.platform.baseUrl, token);
      expect(await names(hub)).toContain("of the colleague.txt");
      expect(await names(hub, LOGIN)).not.toContain("of the colleague.txt");
    });
  });
}
