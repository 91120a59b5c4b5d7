import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { HttpRequest } from "../../../functions/http/request.ts";
import { parseBody } from "../../../functions/http/request-body.ts";

const schema = v.object({ element: v.object({ key: v.string() }), name: v.optional(v.string()) });
const request = (text: string) => ({ body: Buffer.from(text) }) as HttpRequest;

describe("parseBody", () => {
  it("names the missing field by its path", () => {
    expect(() => parseBody(request('{"element": {}}'), schema)).toThrowError(
      expect.objectContaining({
        status: 400,
        message: "element.key is missing",
        detail: { field: "element.key" },
      }),
    );
  });

  it("refuses a body whose nesting would overflow the stack", () => {
    for (const text of ["[".repeat(5_000) + "]".repeat(5_000), `{"element":${'{"a":'.repeat(4_000)}1`]) {
      expect(() => parseBody(request(text), schema)).toThrowError(
        expect.objectContaining({ status: 400, code: "too_deep", detail: { field: "body" } }),
      );
    }
  });

  it("names the field of the wrong type", () => {
    expect(() => parseBody(request('{"element": {"key": 7}}'), schema)).toThrowError(
      expect.objectContaining({ status: 400, detail: { field: "element.key" } }),
    );
  });

  it.each([
    ['{"element": {"key": {"a": "s3cret"}}}', "element.key is not right: it must be a text"],
    ['{"element": "s3cret"}', "element is not right: it must be an object"],
    [
      '{"element": {"key": "k"}, "size": "s3cret"}',
      "size is not right: it must be a number or true or false",
    ],
    ['{"element": {"key": "k"}, "list": "s3cret"}', "list is not right: it must be a list"],
    ['{"element": {"key": "k"}, "many": "s3cret"}', "many is not right: it must be <=3"],
  ])("names in the error for %s the expected type, never the value", (text, message) => {
    const strict = v.object({
      ...schema.entries,
      size: v.optional(v.union([v.number(), v.boolean()])),
      list: v.optional(v.array(v.string())),
      many: v.optional(v.pipe(v.string(), v.maxLength(3))),
    });
    expect(() => parseBody(request(text), strict)).toThrowError(expect.objectContaining({ message }));
  });

  it.each(["[]", "[1]", '["element"]', '"element"', "7", "true"])("refuses the body %s", (text) => {
    expect(() => parseBody(request(text), v.object({ name: v.optional(v.string()) }))).toThrowError(
      expect.objectContaining({ status: 400, detail: { field: "body" } }),
    );
  });

  it("treats null and empty fields as absent, and ignores unknown ones", () => {
    expect(parseBody(request('{"element": {"key": "box"}, "name": null, "colour": "red"}'), schema)).toEqual({
      element: { key: "box" },
    });
    expect(() => parseBody(request('{"element": {"key": ""}}'), schema)).toThrowError(
      /element.key is missing/,
    );
  });

  it("refuses a body that is not JSON, and treats an empty body and null as an empty object", () => {
    expect(() => parseBody(request("{"), schema)).toThrowError(expect.objectContaining({ status: 400 }));
    expect(() => parseBody(request("null"), schema)).toThrowError(/element is missing/);
    expect(() => parseBody(request(""), schema)).toThrowError(/element is missing/);
  });
});
