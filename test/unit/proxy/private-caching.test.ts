import { describe, expect, it } from "vitest";
import { withPrivateCaching } from "../../../functions/proxy/private-caching.ts";

describe("a vendor's answer to one caller", () => {
  it.each([
    ["public, max-age=600", "private, max-age=600"],
    ["max-age=60, s-maxage=3600, proxy-revalidate", "private, max-age=60"],
    ['private="set-cookie", no-cache="a, b", max-age=5', 'private, no-cache="a, b", max-age=5'],
    ["no-store", "private, no-store"],
    ["", "private"],
  ])("may not be kept by a shared cache: %s becomes %s", (given, wanted) => {
    expect(withPrivateCaching({ "cache-control": given }, [])["Cache-Control"]).toBe(wanted);
  });

  it("varies by the header with the instance token, and by Origin", () => {
    expect(withPrivateCaching({ Vary: "Accept-Encoding" }, ["Authorization"]).Vary).toBe(
      "Accept-Encoding, Origin, Authorization",
    );
    expect(withPrivateCaching({ Vary: "*" }, ["Authorization"]).Vary).toBe("*");
  });
});
