import { describe, expect, it } from "vitest";
import { vendorDescription } from "../../../functions/connections/vendor-description.ts";

const of = (vendor: unknown) => vendorDescription({ detail: { vendor } });

describe("a vendor's error in the app's return URL", () => {
  it("is the vendor's description, or otherwise its error code", () => {
    expect(of({ error: "invalid_grant", error_description: "Bad Request" })).toBe("Bad Request");
    expect(of({ error: "invalid_grant", error_description: "" })).toBe("invalid_grant");
    expect(of({ error: "invalid_grant" })).toBe("invalid_grant");
  });

  it("is shortened to 500 characters", () => {
    expect(of({ error_description: "x".repeat(9_000) })).toHaveLength(500);
  });

  it.each([undefined, null, "text", 7, [], {}, { error: 400 }, { error_description: { a: 1 } }])(
    "is absent when the vendor sent %j",
    (vendor) => {
      expect(of(vendor)).toBeUndefined();
    },
  );

  it("is absent when the error is not a vendor's", () => {
    expect(vendorDescription({ detail: undefined })).toBeUndefined();
  });
});
