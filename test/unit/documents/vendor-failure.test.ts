import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { vendorFailure, withoutSecrets } from "../../../functions/core/documents/vendor-failure.ts";

const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{20,60}$/);

describe("a vendor's error", () => {
  it("never contains the token that was sent, wherever the vendor repeats it, and is shortened", () => {
    fc.assert(
      fc.property(token, fc.string(), fc.json({ maxDepth: 4 }), (secret, text, other) => {
        const said = {
          message: `${text}${secret}${text}`,
          list: [{ [secret]: 1 }],
          other: JSON.parse(other),
        };
        const shown = JSON.stringify(withoutSecrets(said, [secret])) ?? "";
        expect(shown).not.toContain(secret);
        expect(shown.length).toBeLessThan(200_000);
      }),
    );
  });

  it("never contains the token in the encoding of a query or a form either", () => {
    const secret = "a+b/c d=e&f";
    const forms = [encodeURIComponent(secret), new URLSearchParams({ x: secret }).toString().slice(2)];
    expect(String(withoutSecrets(forms.join(" | "), [secret]))).toBe("******** | ********");
  });

  it.each([
    "Authorization: Bearer abcdefghijk",
    '{"access_token": "abcdefghijk"}',
    "refresh_token=abcdefghijk&x=1",
    "client_secret: 'abcdefghijk'",
  ])("loses texts that look like a credential: %s", (text) => {
    expect(String(withoutSecrets(text, []))).not.toContain("abcdefghijk");
    expect(JSON.stringify(withoutSecrets({ token: "abcdefghijk", deep: { text } }, []))).not.toContain(
      "abcdefghijk",
    );
  });

  it("keeps its other words", () => {
    expect(
      withoutSecrets({ error_summary: "path/not_found/..", n: 1, ok: false, none: null }, ["xxxxxxxxx"]),
    ).toEqual({
      error_summary: "path/not_found/..",
      n: 1,
      ok: false,
      none: null,
    });
  });

  it.each([
    [404, undefined, 404, "not_found"],
    [409, "conflict", 409, "conflict"],
    [403, undefined, 403, "forbidden"],
    [403, "rate_limited", 429, "rate_limited"],
    [400, "not_a_file", 400, "not_a_file"],
    [401, undefined, 401, "vendor_unauthorized"],
    [500, undefined, 502, "vendor_error"],
    [503, undefined, 502, "vendor_error"],
    [304, undefined, 502, "vendor_bad_answer"],
  ] as const)("with status %s (%s) becomes our %s %s", (status, refusal, ours, code) => {
    expect(vendorFailure({ status, headers: {} }, "text", refusal, [])).toMatchObject({ status: ours, code });
  });

  it("keeps Retry-After, in seconds or as a date; without a time it names one", () => {
    const retryAfterOf = (value: string) =>
      Number(
        vendorFailure(
          { status: 429, headers: { date: new Date().toUTCString(), "retry-after": value } },
          "",
          undefined,
          [],
        ).headers["Retry-After"],
      );
    expect(retryAfterOf("17")).toBe(17);
    expect(retryAfterOf(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50);
    expect(retryAfterOf("soon")).toBe(10);
  });
});
