import fc from "fast-check";
import { expect, it } from "vitest";
import { JsonTooDeep, MAX_JSON_NESTING, parseJson } from "../../functions/core/parse-json.ts";

const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

it("reads every text that JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

it.each([
  ["[", "]"],
  ['{"a":', "}"],
])("accepts %s up to the limit of nesting and not deeper", (open, close) => {
  const inside = close === "}" ? "1" : "";
  const text = (depth: number) => open.repeat(depth) + inside + close.repeat(depth);
  expect(parseJson(text(MAX_JSON_NESTING))).toBeTypeOf("object");
  expect(() => parseJson(text(MAX_JSON_NESTING + 1))).toThrow(JsonTooDeep);
  expect(() => parseJson(text(100_000))).toThrow(JsonTooDeep);
});

it("does not count brackets within a string, nor brackets that are closed", () => {
  const text = JSON.stringify([`\\"${"[".repeat(1_000)}`, ...Array.from({ length: 1_000 }, () => [])]);
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

it("throws a SyntaxError for any other text", () => {
  for (const text of ["", '"', '"\\', nested(3, "]", "["), "{"])
    expect(() => parseJson(text)).toThrow(SyntaxError);
});
