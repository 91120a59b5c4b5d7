import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sameHash } from "../../../functions/core/secret-hash.ts";

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

describe("hashes of secrets", () => {
  it("are compared in a time that does not depend on where they differ", () => {
    const compared = vi.spyOn(crypto, "timingSafeEqual");
    syncBuiltinESMExports();
    const hash = "A".repeat(43);
    expect(sameHash(hash, hash)).toBe(true);
    expect(sameHash(hash, `${hash.slice(1)}B`)).toBe(false);
    expect(sameHash(hash, `B${hash.slice(1)}`)).toBe(false);
    expect(compared).toHaveBeenCalledTimes(3);
    expect(sameHash(hash, "A")).toBe(false);
  });
});
