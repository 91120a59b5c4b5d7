import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findDocumentsVendor } from "../../../functions/core/documents/vendors/index.ts";
import type { HubError, HubItem } from "../hub-client.ts";
import type { Fixture } from "./fixture.ts";

/** Letters that vendors, URLs, headers and query languages treat in some special way. */
const hardLetters = [
  ..."'\"\\%+#&?=;:,*<>|~$@!()[]{}^`. \t\u00a0éüßñ日🎈\u200b",
  "e\u0301",
  "%2F",
  "%00",
  "..",
  "&amp;",
];

/** Names that no rule of paths forbids. */
const hardNames = fc
  .array(fc.oneof(fc.constantFrom(...hardLetters), fc.constantFrom("a", "B", "1")), {
    minLength: 1,
    maxLength: 20,
  })
  .map((letters) => letters.join(""))
  .filter((name) => !/^\.{0,2}$/.test(name));

/** Names on the edge of what vendors allow; whole folders of names are in names.ts. */
export function describeHardNames(on: Fixture): void {
  /** The name stays as it is in an upload, a read and a list; or the answer is 400 with the vendor's rule, and nothing is made. */
  async function expectKeptOrRefused(folder: string, name: string): Promise<HubItem | undefined> {
    const path = `${folder}/${name}`;
    const answer = await on.hub.call<HubItem & HubError>("POST", "/files", { query: { path }, body: name });
    const rule = (await findDocumentsVendor(on.connector))?.names?.refuse?.(name);
    if (rule !== undefined) {
      expect([name, answer.status, answer.json.message]).toEqual([name, 400, expect.stringContaining(rule)]);
      return undefined;
    }
    expect([answer.json.message, answer.status, answer.json.name]).toEqual([undefined, 200, name]);
    const { message: _, ...item } = answer.json;
    expect((await on.hub.metadata(item.path)).json).toEqual(item);
    expect((await on.hub.bytes(path)).toString()).toBe(name);
    expect((await on.hub.contents(folder)).json.map(({ id }) => id)).toContain(item.id);
    return item;
  }

  describe("a name on the edge", () => {
    it.each([
      " begins with a blank.txt",
      "ends with a blank ",
      ".begins with a dot",
      "ends with a dot.",
      "ends with dots..",
      "...",
      "tab\tin it.txt",
      "a:colon*star|pipe<less>.txt",
      "~$owner.txt",
      "CON",
      "desktop.ini",
      `${"a".repeat(251)}.txt`,
      `${"ü".repeat(125)}.txt`,
    ])("like %j is kept, or refused with the vendor's rule", async (name) => {
      await expectKeptOrRefused(on.home, name);
    });

    it("of any letters is kept, or refused with the vendor's rule", { timeout: 120_000 }, async () => {
      let count = 0;
      await fc.assert(
        fc.asyncProperty(hardNames, async (name) => {
          // A folder of its own: names that a vendor takes for the same must not meet.
          await expectKeptOrRefused(`${on.home}/${++count}`, name);
        }),
        { numRuns: 15, seed: 18, endOnFailure: true },
      );
    });

    it("that is composed and one that is decomposed are two items, or the second is a conflict", async () => {
      const [composed, decomposed] = ["caf\u00e9.txt", "cafe\u0301.txt"];
      const one = await expectKeptOrRefused(on.home, composed);
      const other = await on.hub.call<HubItem>("POST", "/files", {
        query: { path: `${on.home}/${decomposed}` },
        body: decomposed,
      });
      expect((await on.hub.bytes(one?.path ?? "")).toString()).toBe(composed);
      if (other.status === 409) return;
      expect([other.status, other.json.name]).toEqual([200, decomposed]);
      expect(other.json.id).not.toBe(one?.id);
      expect((await on.hub.bytes(other.json.path)).toString()).toBe(decomposed);
    });

    it("that a second item of the folder gets leaves both to be read and deleted by their ids", async () => {
      const first = await on.hub.upload(`${on.home}/one.txt`, "one");
      await on.hub.upload(`${on.home}/two.txt`, "two");
      const json = { path: `${on.home}/two.txt` };
      await on.hub.call("PATCH", `/files/${first.id}/metadata`, { json });
      const items = (await on.hub.contents(on.home)).json;
      expect(items.length).toBeGreaterThan(0);
      const bytesOf = async ({ id }: HubItem) => (await on.hub.call("GET", `/files/${id}`)).bytes.toString();
      const contents = new Map<HubItem, string>();
      for (const item of items) {
        contents.set(item, await bytesOf(item));
        expect((await on.hub.ok("GET", `/files/${item.id}/metadata`)).id).toBe(item.id);
      }
      expect(new Set(contents.values()).size).toBe(items.length);
      const [gone, ...left] = items;
      await on.hub.ok("DELETE", `/files/${gone?.id}`);
      for (const item of left) expect(await bytesOf(item)).toBe(contents.get(item));
    });

    it("below 50 folders is found by path and by id, and its path is whole", {
      timeout: 120_000,
    }, async () => {
      const path = `${on.home}/${Array.from({ length: 50 }, (_, level) => `d${level}`).join("/")}/a.txt`;
      const item = await on.hub.upload(path, "deep");
      expect(item.path).toBe(path);
      expect(await on.hub.ok("GET", `/files/${item.id}/metadata`)).toEqual(item);
      expect((await on.hub.bytes(path)).toString()).toBe("deep");
      await on.hub.ok("DELETE", "/folders", { query: { path: `${on.home}/d0` } });
    });
  });
}
