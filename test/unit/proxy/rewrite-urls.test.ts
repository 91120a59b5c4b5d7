import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rewriteJsonFields, rewriteLinkHeader } from "../../../functions/proxy/rewrite-urls.ts";

const shout = (text: string): string => text.toUpperCase();

describe("a Link header", () => {
  it("has each of its URLs rewritten and everything else kept", () => {
    expect(rewriteLinkHeader('<https://a/?x=1,2>; rel="next", </b>; rel=prev', shout)).toBe(
      '<HTTPS://A/?X=1,2>; rel="next", </B>; rel=prev',
    );
  });
});

describe("a JSON body", () => {
  it("changes only in the named fields, at any depth, and in no other byte", () => {
    const text =
      '{ "nextLink" : "https:\\/\\/a",\n "n": 12345678901234567890, "other": "nextLink", "x": [{"nextLink":"b"}, "nextLink", "c"], "y":{"nextLink": null, "z":"d"} }';
    expect(rewriteJsonFields(text, ["nextLink"], shout)).toBe(
      '{ "nextLink" : "HTTPS://A",\n "n": 12345678901234567890, "other": "nextLink", "x": [{"nextLink":"B"}, "nextLink", "c"], "y":{"nextLink": null, "z":"d"} }',
    );
  });

  it("does not change in strings that look like fields", () => {
    const text = JSON.stringify({ a: '"nextLink":"b"', 'q"nextLink': "c", "\\": '\\"nextLink":"d' });
    expect(rewriteJsonFields(text, ["nextLink"], shout)).toBe(text);
  });

  it("that is not JSON keeps its bytes", () => {
    for (const text of [
      '{"nextLink":"b',
      '{"nextLink"',
      '"nextLink" "b"',
      '"nextLink": :"b"',
      '{"nextLink":"b\\',
    ])
      expect(rewriteJsonFields(text, ["nextLink"], shout)).toBe(text);
  });

  it("is equal except in those fields, for any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const rewritten: unknown = JSON.parse(
          rewriteJsonFields(JSON.stringify(value, undefined, 1), ["a", ""], shout),
        );
        expect(rewritten).toEqual(expected(JSON.parse(JSON.stringify(value))));
      }),
      { numRuns: 1000 },
    );
  });
});

function expected(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expected);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      ["a", ""].includes(name) && typeof each === "string" ? shout(each) : expected(each),
    ]),
  );
}
