import { expect, it } from "vitest";
import { readExpressions } from "../../checks/read-expressions.ts";

const made = (text: string) => readExpressions("a.ts", text).made;

it("finds every literal regular expression", () => {
  const text = 'const a = /x\\/[/]y/giu;\nconst b = new RegExp("z+", "s"); RegExp(`w`);';
  expect(readExpressions("a.ts", text).expressions).toEqual([
    { at: "a.ts:1", source: "x\\/[/]y", flags: "giu" },
    { at: "a.ts:2", source: "z+", flags: "s" },
    { at: "a.ts:2", source: "w", flags: "" },
  ]);
  expect(made(text)).toEqual([]);
});

it.each([
  "new RegExp(text)",
  "RegExp(`^` + text)",
  "new globalThis.RegExp(text, 'i')",
  "name.match(text)",
  "name.matchAll(text)",
  "name.search(other.pattern)",
  "name.match('a+')",
])("complains of an expression that is made at run time: %s", (code) => {
  expect(made(`\n${code};`)).toEqual([expect.stringContaining("a.ts:2: ")]);
});

it.each([
  "const P = /a/; name.match(P)",
  "name.search(/a/)",
  "vendor.search(call, query, page)",
  "name.replaceAll(text, '')",
])("accepts %s", (code) => {
  expect(made(code)).toEqual([]);
});
