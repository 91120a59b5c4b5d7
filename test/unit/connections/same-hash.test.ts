import { describe, expect, it, vi } from "vitest";

const compared = vi.hoisted(() => vi.fn());
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  compared.mockImplementation(crypto.timingSafeEqual);
  return { ...crypto, timingSafeEqual: compared };
});

const { sameHash } = await import("../../../functions/core/grant/sign-in/instance-token.ts");

describe("hashes of secrets", () => {
  it("are compared in a time that does not tell where they differ", () => {
    const hash = "A".repeat(43);
    expect(sameHash(hash, hash)).toBe(true);
    expect(sameHash(hash, `${hash.slice(1)}B`)).toBe(false);
    expect(sameHash(hash, `B${hash.slice(1)}`)).toBe(false);
    expect(compared).toHaveBeenCalledTimes(3);
    expect(sameHash(hash, "A")).toBe(false);
  });
});
