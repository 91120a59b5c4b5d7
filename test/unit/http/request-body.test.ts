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

  it("names the field of the wrong type", () => {
    expect(() => parseBody(request('{"element": {"key": 7}}'), schema)).toThrowError(
      expect.objectContaining({ status: 400, detail: { field: "element.key" } }),
    );
  });

  it("takes null and empty fields as absent, and ignores unknown ones", () => {
    expect(parseBody(request('{"element": {"key": "box"}, "name": null, "colour": "red"}'), schema)).toEqual({
      element: { key: "box" },
    });
    expect(() => parseBody(request('{"element": {"key": ""}}'), schema)).toThrowError(
      /element.key is missing/,
    );
  });

  it("refuses what is not JSON, and takes nothing and null as an empty object", () => {
    expect(() => parseBody(request("{"), schema)).toThrowError(expect.objectContaining({ status: 400 }));
    expect(() => parseBody(request("null"), schema)).toThrowError(/element is missing/);
    expect(() => parseBody(request(""), schema)).toThrowError(/element is missing/);
  });
});
