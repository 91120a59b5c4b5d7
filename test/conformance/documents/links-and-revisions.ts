import { describe, expect, it } from "vitest";
import { HubClient, type HubError } from "../hub-client.ts";
import { type Fixture, hardName, ISO_SECONDS, LOGIN } from "./fixture.ts";

export function describeLinksAndRevisions(on: Fixture): void {
  const { connector, refusal } = on;

  describe("links and revisions", () => {
    it("gives a link that streams the file to everybody who has the link", async () => {
      const name = await hardName(on, "page <1>.html", "page 1.html");
      const item = await on.hub.upload(`${on.home}/${name}`, "<script>alert(1)</script>");
      const { status, json } = await on.hub.call<Record<string, string>>("GET", `/files/${item.id}/links`);
      expect(status).toBe(200);
      expect(json).not.toHaveProperty("raw");
      expect(json.providerViewLink).toMatch(/^https?:\/\//);
      const stranger = new HubClient(on.platform.baseUrl);
      const answer = await stranger.call("GET", json.cloudElementsLink ?? "");
      expect(answer.status).toBe(200);
      expect(answer.bytes.toString()).toBe("<script>alert(1)</script>");
      expect(answer.headers.get("content-security-policy")).toBe("sandbox");
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      expect(answer.headers.get("content-disposition")).toMatch(/^attachment;/);
      const garbled = await stranger.call<HubError>("GET", `${json.cloudElementsLink}x`);
      expect(garbled.status).toBe(404);
      const { lastingLinks } = on.traits;
      if (lastingLinks !== undefined) {
        expect(json.providerViewLink).toContain(lastingLinks.view);
        expect(json.providerLink).toEqual(
          lastingLinks.download && expect.stringContaining(lastingLinks.download),
        );
        expect(json).not.toHaveProperty("expires");
      } else expect(json.expires).toMatch(ISO_SECONDS);
    });

    it("ends a link when its instance is disabled or deleted", async () => {
      const item = await on.hub.upload(`${on.home}/a.txt`, "text");
      const other = await on.app.connect(connector, { login: LOGIN });
      const links = () =>
        new HubClient(on.platform.baseUrl, other.token).ok<{ cloudElementsLink: string }>(
          "GET",
          `/files/${item.id}/links`,
        );
      const { cloudElementsLink } = await links();
      const stranger = new HubClient(on.platform.baseUrl);
      const follow = async () => (await stranger.call("GET", cloudElementsLink)).status;
      expect(await follow()).toBe(200);
      await on.app.platform("DELETE", `/instances/${other.id}/enabled`);
      expect(await follow()).toBe(404);
      await on.app.platform("PUT", `/instances/${other.id}/enabled`);
      expect(await follow()).toBe(200);
      await on.app.platform("DELETE", `/instances/${other.id}`);
      expect(await follow()).toBe(404);
    });

    it("lists revisions newest first, in pages, and answers a single revision", async () => {
      const path = `${on.home}/a.txt`;
      await on.hub.upload(path, "1");
      const item = await on.hub.upload(path, "two", { overwrite: true });
      const list = await on.hub.ok<{ id: string; size: number }[]>("GET", "/files/revisions", {
        query: { path },
      });
      expect(list.map(({ size }) => size)).toEqual([3, 1]);
      const first = await on.hub.call<{ id: string }[]>("GET", `/files/${item.id}/revisions`, {
        query: { pageSize: 1 },
      });
      expect(first.json).toEqual([list[0]]);
      const nextPage = first.headers.get("Elements-Next-Page-Token") ?? "";
      const second = await on.hub.call("GET", `/files/${item.id}/revisions`, {
        query: { pageSize: 1, nextPage },
      });
      expect([second.json, second.headers.get("Elements-Next-Page-Token")]).toEqual([[list[1]], null]);
      const one = `/files/${item.id}/revisions/${encodeURIComponent(list[1]?.id ?? "")}`;
      expect(await on.hub.ok("GET", one)).toEqual(list[1]);
      expect((await refusal("GET", `/files/${item.id}/revisions/0000000000`)).status).toBe(404);
    });

    it("gives a link to the vendor's page of a folder", async () => {
      await on.hub.ok("POST", "/folders", { json: { path: `${on.home}/f` } });
      const links = await on.hub.ok<Record<string, unknown>>("GET", "/folders/links", {
        query: { path: `${on.home}/f`, raw: true },
      });
      expect(links).toMatchObject({ providerViewLink: expect.any(String), raw: expect.any(Object) });
      expect(links).not.toHaveProperty("cloudElementsLink");
    });
  });
}
