import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextPageTokens } from "../../../functions/core/documents/next-page.ts";
import { testVault } from "./test-vault.ts";

const vault = testVault();
const mine = nextPageTokens(vault, { id: 42, organizationId: "org-a" });
const call = { call: "folders.contents", path: "/a", where: undefined };
const refused = expect.objectContaining({ status: 400, detail: { field: "nextPage" } });

describe("nextPage tokens", () => {
  it("return the position, and fit into a URL", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.string({ maxLength: 300 }), { nil: undefined }),
        fc.nat(),
        async (cursor, skip) => {
          const position = { skip, part: 100, ...(cursor === undefined ? {} : { cursor }) };
          const token = await mine.seal(call, position);
          expect(token).toMatch(/^[\w-]+$/);
          expect(token.length).toBeLessThan(2000);
          expect(await mine.open(call, token)).toEqual(position);
        },
      ),
    );
  });

  it.each([
    ["another instance", nextPageTokens(vault, { id: 43, organizationId: "org-a" }), call],
    ["another organization", nextPageTokens(vault, { id: 42, organizationId: "org-b" }), call],
    ["another folder", mine, { ...call, path: "/b" }],
    ["another filter", mine, { ...call, where: "size > 1" }],
    ["another call", mine, { ...call, call: "search" }],
  ])("of %s are refused with a 400 that names nextPage", async (_, tokens, from) => {
    const token = await tokens.seal(from, { skip: 1, part: 100, cursor: "c" });
    await expect(mine.open(call, token)).rejects.toThrow(refused);
  });

  it("that are malformed are refused with a 400 that names nextPage", async () => {
    const token = await mine.seal(call, { skip: 1, part: 100 });
    const garbled = [
      token.slice(0, -3),
      `${token}AAAA`,
      "x",
      "not a token",
      `${token[0] === "A" ? "B" : "A"}${token.slice(1)}`,
    ];
    for (const each of garbled) await expect(mine.open(call, each)).rejects.toThrow(refused);
  });

  it("do not show the vendor's cursor", async () => {
    const token = await mine.seal(call, { skip: 0, part: 1, cursor: "vendor-cursor" });
    expect(Buffer.from(token, "base64url").includes("vendor-cursor")).toBe(false);
  });
});
