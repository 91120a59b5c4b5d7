import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { whereTest } from "../../../functions/core/documents/item-filter.ts";
import { foldCase, likeTest } from "../../../functions/core/documents/like.ts";
import { textFinder } from "../../../functions/core/find-text.ts";
import { expectLinear } from "../../linear.ts";
import { file } from "./items.ts";

const like = (pattern: string, text: string) => likeTest(pattern)(foldCase(text));

/** The meaning of LIKE as a regular expression: correct, but far too slow for some patterns. */
function expected(pattern: string, text: string): boolean {
  const deps = pattern.split("%").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(deps.length === 1 ? (deps[0] ?? "") : `^${deps.join(".*")}$`, "isu").test(text);
}

describe("LIKE", () => {
  it("matches the same texts as a regular expression with .* for each %", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."aAbBéÉßςσΣıİi.%") });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        expect(like(pattern, text.replaceAll("%", "a"))).toBe(expected(pattern, text.replaceAll("%", "a")));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["four wildcards", "%a%a%a%a%c", (n: number) => `${"a".repeat(n)}b`],
    ["as many wildcards as an expression can hold", `${"%a".repeat(900)}c`, (n: number) => "a".repeat(n)],
    [
      "a long piece that nearly matches",
      `%${"a".repeat(900)}b${"a".repeat(900)}%`,
      (n: number) => "a".repeat(n),
    ],
    [
      "a long piece that begins everywhere",
      `b${"a".repeat(1_900)}`,
      (n: number) => `b${"a".repeat(900)}c`.repeat(n / 900),
    ],
  ])("takes a time that grows only with the text, with %s", (_, pattern, textOf) => {
    expectLinear((size) => like(pattern, textOf(size)), 100_000);
  });

  it("also takes such a time for many terms on a long name", () => {
    const where = Array.from({ length: 70 }, () => "path LIKE '%a%b%c'").join(" OR ");
    const test = whereTest(where);
    expectLinear((size) => test(file("é".repeat(size), { path: "é".repeat(size) })), 20_000);
  });

  it("finds a text at the same place as indexOf", () => {
    const ab = (maxLength: number) => fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength });
    fc.assert(
      fc.property(ab(200), ab(200), fc.nat(20), (piece, text, from) => {
        const repeated = `${text}${piece}${text}`;
        expect(textFinder(piece)(repeated, from)).toBe(repeated.indexOf(piece, from));
        expect(textFinder(piece)(text, from)).toBe(text.indexOf(piece, from));
      }),
      { numRuns: 1_000 },
    );
  });
});
