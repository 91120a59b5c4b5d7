import { describe, expect, it } from "vitest";
import { vendorDescription } from "../../../functions/connections/vendor-description.ts";

const of = (vendor: unknown) => vendorDescription({ detail: { vendor } });

describe("what a vendor said, for the app's return URL", () => {
  it("is its description, else its error", () => {
    expect(of({ error: "invalid_grant", error_description: "Bad Request" })).toBe("Bad Request");
    expect(of({ error: "invalid_grant", error_description: "" })).toBe("invalid_grant");
    expect(of({ error: "invalid_grant" })).toBe("invalid_grant");
  });

  it("is bounded", () => {
    expect(of({ error_description: "x".repeat(9_000) })).toHaveLength(500);
  });

  it.each([undefined, null, "text", 7, [], {}, { error: 400 }, { error_description: { a: 1 } }])(
    "is nothing where the vendor said %j",
    (vendor) => {
      expect(of(vendor)).toBeUndefined();
    },
  );

  it("is nothing of an error that is no vendor's", () => {
    expect(vendorDescription({ detail: undefined })).toBeUndefined();
  });
});
