import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseWhere, type Where } from "../../../functions/core/documents/ceql.ts";
import { extensionOf } from "../../../functions/core/documents/item.ts";
import { compareBy, parseOrderBy, whereTest } from "../../../functions/core/documents/item-filter.ts";
import { formatWhere } from "./format-where.ts";
import { file, folder } from "./items.ts";

const field = fc.constantFrom("name", "size", "modifiedDate", "extension", "properties.mimeType", "x_1");
const value = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.integer(),
  fc.integer({ min: -10_000, max: 10_000 }).map((n) => n / 100),
  fc.boolean(),
);
const leaf: fc.Arbitrary<Where> = fc.oneof(
  fc.record({
    kind: fc.constant("compare" as const),
    field,
    operator: fc.constantFrom(
      "=" as const,
      "!=" as const,
      "<" as const,
      ">" as const,
      "<=" as const,
      ">=" as const,
      "LIKE" as const,
    ),
    value,
  }),
  fc.record({
    kind: fc.constant("in" as const),
    field,
    values: fc.array(value, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("null" as const), field, negated: fc.boolean() }),
);
const expression = fc.letrec<{ where: Where }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      terms: fc.array(tie("where"), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).where;

describe("CEQL", () => {
  it("parses every expression that it formats", () => {
    fc.assert(
      fc.property(expression, (where) => {
        const text = formatWhere(where);
        fc.pre(text.length <= 2000);
        expect(parseWhere(text)).toEqual(where);
      }),
    );
  });

  it("parses any text to an expression, or answers 400 that names where", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."'()=<>, ANDORname1%") })),
        (text) => {
          try {
            parseWhere(text);
          } catch (error) {
            expect(error).toMatchObject({ status: 400, detail: { field: "where" } });
          }
        },
      ),
    );
  });

  it.each([
    ["name='a''b'", { kind: "compare", field: "name", operator: "=", value: "a'b" }],
    ["size>=10", { kind: "compare", field: "size", operator: ">=", value: 10 }],
    ["name like 'Dice'", { kind: "compare", field: "name", operator: "LIKE", value: "Dice" }],
    ["extension in('pdf' , 'txt')", { kind: "in", field: "extension", values: ["pdf", "txt"] }],
    ["size is not null", { kind: "null", field: "size", negated: true }],
  ])("needs no spaces around operators, and accepts keywords in any case: %s", (text, parsed) => {
    expect(parseWhere(text)).toEqual(parsed);
  });

  it("binds AND closer than OR", () => {
    expect(formatWhere(parseWhere("name='a' or name='b' and size>1"))).toBe(
      "name = 'a' OR (name = 'b' AND size > 1)",
    );
  });

  it.each([
    ["name =", "a value"],
    ["name = 'open", "no end"],
    ["= 'a'", "a field name"],
    ["name 'a'", "an operator"],
    ["name = 'a' name = 'b'", "AND, OR or the end"],
    ["(name = 'a'", ") expected"],
    ["size IN ()", "a value"],
    [`${"(".repeat(30)}size=1${")".repeat(30)}`, "deep"],
  ])("says what is wrong with %s", (text, message) => {
    expect(() => parseWhere(text)).toThrow(message);
  });
});

describe("where on items", () => {
  const dice = file("Dice.PDF", {
    size: 10,
    mimeType: "application/pdf",
    modifiedDate: "2026-01-02T03:04:05.678Z",
  });
  const games = folder("games");

  it.each([
    ["name like 'ice'", true, false],
    ["name LIKE 'd%.pdf'", true, false],
    ["name LIKE '%s'", false, true],
    ["directory='true'", false, true],
    ["directory = false", true, false],
    ["extension='pdf'", true, false],
    ["extension IN ('.pdf','txt')", true, false],
    ["mimeType = 'APPLICATION/pdf'", true, false],
    ["size > '9' AND size <= 10", true, false],
    ["size IS NULL", false, true],
    ["modifiedDate = '2026-01-02T03:04:05Z'", true, false],
    ["modifiedDate >= '2026-01-03'", false, false],
    ["name != 'Dice.PDF'", false, true],
    ["properties.mimeType IS NOT NULL or name='games'", true, true],
  ])("%s", (where, onFile, onFolder) => {
    const test = whereTest(where);
    expect([test(dice), test(games)]).toEqual([onFile, onFolder]);
  });

  it.each(["nothing = 1", "size = 'big'", "modifiedDate > 'yesterday'", "directory = 'perhaps'"])(
    "refuses %s with a 400 that names where",
    (where) => {
      expect(() => whereTest(where)).toThrow(
        expect.objectContaining({ status: 400, detail: { field: "where" } }),
      );
    },
  );

  it("sorts by any field in both directions, with items without the field last", () => {
    const items = [file("b", { size: 2 }), folder("c"), file("a", { size: 10 })];
    const sorted = (by: string) => items.toSorted(compareBy(parseOrderBy(by))).map(({ name }) => name);
    expect(sorted("size asc")).toEqual(["b", "a", "c"]);
    expect(sorted("size DESC")).toEqual(["a", "b", "c"]);
    expect(sorted("name")).toEqual(["a", "b", "c"]);
  });

  it.each(["", "name up", "colour asc", "name asc, size"])("refuses orderBy=%s", (by) => {
    expect(() => parseOrderBy(by)).toThrow(expect.objectContaining({ detail: { field: "orderBy" } }));
  });

  it("takes the text after the last dot as the extension", () => {
    expect(["a.b.TXT", ".profile", "none", "end."].map(extensionOf)).toEqual(["txt", "", "", ""]);
  });
});
