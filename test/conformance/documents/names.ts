import { describe, expect, it } from "vitest";
import { findDocumentsVendor } from "../../../functions/core/documents/vendors/index.ts";
import type { HubError } from "../hub-client.ts";
import type { Fixture } from "./fixture.ts";

export function describeNames(on: Fixture): void {
  describe("names", () => {
    it.each([
      `O'Brien said "hello".txt`,
      "back\\slash and 'quote\\'.txt",
      "50% + tax & more #1? = a;b.txt",
      "100%25 %2F %.txt",
      "日本語 – Übergröße 🎈.txt",
      "  two  blanks .x",
      "semi;colon,comma[1]{2}.txt",
      "e\u0301 and é.txt",
    ])("like %s stay the same in every call, or are refused with the vendor's rule", async (name) => {
      const path = `${on.home}/in ${name}/${name}`;
      const rule = (await findDocumentsVendor(on.connector))?.names?.refuse?.(name);
      if (rule !== undefined) {
        const { status, json } = await on.hub.call<HubError>("POST", "/files", {
          query: { path },
          body: "x",
        });
        expect([status, json.message]).toEqual([400, expect.stringContaining(rule)]);
        // Folders above the refused name may have been made.
        const { status: found, json: items } = await on.hub.contents(on.home);
        expect(found === 404 || items.every(({ directory }) => directory)).toBe(true);
        return;
      }
      const item = await on.hub.upload(path, name);
      expect(item).toMatchObject({ name, path });
      expect((await on.hub.bytes(path)).toString()).toBe(name);
      expect((await on.hub.metadata(path)).json).toEqual(item);
      expect(await on.hub.ok("GET", `/files/${encodeURIComponent(item.id)}/metadata`)).toEqual(item);
      expect(await on.hub.ok("GET", `/files/${item.id}/metadata`)).toEqual(item);
      expect((await on.hub.contents(`${on.home}/in ${name}`)).json).toEqual([item]);
      const where = `name = '${name.replaceAll("'", "''")}'`;
      expect((await on.hub.contents(`${on.home}/in ${name}`, { where })).json).toEqual([item]);

      const copied = await on.hub.ok("POST", "/files/copy", {
        query: { path },
        json: { path: `${on.home}/copy of ${name}` },
      });
      expect(copied.name).toBe(`copy of ${name}`);
      const moved = await on.hub.ok("PATCH", "/files/metadata", {
        query: { path },
        json: { path: `${on.home}/moved ${name}` },
      });
      expect(moved).toMatchObject({ name: `moved ${name}`, path: `${on.home}/moved ${name}` });
      expect((await on.hub.bytes(`${on.home}/moved ${name}`)).toString()).toBe(name);
      await on.hub.ok("DELETE", "/files", { query: { path: `${on.home}/moved ${name}` } });
      expect((await on.hub.metadata(`${on.home}/moved ${name}`)).status).toBe(404);
      await on.hub.ok("DELETE", "/folders", { query: { path: `${on.home}/in ${name}` } });
    });
  });
}
