import { describe, expect, it } from "vitest";
import { providerMessage } from "../../../functions/http/provider-message.ts";

const of = (vendor: unknown) => providerMessage({ detail: { vendor } });

describe("a vendor's words as one text", () => {
  it("is the vendor's description, or otherwise its error code", () => {
    expect(of({ error: "invalid_grant", error_description: "Bad Request" })).toBe("Bad Request");
    expect(of({ error: "invalid_grant", error_description: "" })).toBe("invalid_grant");
    expect(of({ error: "invalid_grant" })).toBe("invalid_grant");
  });

  it("is shortened to 500 characters", () => {
    expect(of({ error_description: "x".repeat(9_000) })).toHaveLength(500);
  });

  it.each([undefined, null, "<html>no</html>", 7, [], {}, { error: 400 }, { error_description: { a: 1 } }])(
    "is absent when the vendor sent %j",
    (vendor) => {
      expect(of(vendor)).toBeUndefined();
    },
  );

  it.each([
    [
      { status: 409, answer: { error_summary: "path/conflict/..", error: { ".tag": "path" } } },
      "path/conflict/..",
    ],
    [{ status: 400, answer: { user_message: { text: "Too long" }, error_summary: "other/." } }, "Too long"],
    [
      { status: 404, answer: { error: { code: 404, message: "File not found: x.", errors: [] } } },
      "File not found: x.",
    ],
    [{ status: 400, answer: { errors: [{ message: "No such field" }] } }, "No such field"],
    [{ status: 400, answer: " Error in call: bad path " }, "Error in call: bad path"],
  ])("is found in the shape that a vendor's API gives it: %j", (vendor, text) => {
    expect(of(vendor)).toBe(text);
  });

  it("is absent when the error is not a vendor's", () => {
    expect(providerMessage({ detail: undefined })).toBeUndefined();
  });
});
