import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { budgets, jsonBytes } from "../../../functions/core/instances/budgets.ts";
import { fitGrant, refuseTooLarge, withoutUndeclared } from "../../../functions/core/instances/fit-grant.ts";
import type { Grant } from "../../../functions/core/instances/instance.ts";
import { StoreRefused } from "../../../functions/core/store-refused.ts";

const declares = (...keys: string[]) => ({ captured: keys.map((key) => ({ key })) });

function grantWith(extra: Record<string, string>, more: Partial<Grant> = {}): Grant {
  return {
    accessToken: "access",
    tokenType: "bearer",
    refreshToken: "refresh",
    obtainedAt: 1,
    obtainedBy: "exchange",
    client: { kind: "own", id: "id", secret: "secret" },
    extra,
    ...more,
  };
}

const members = fc.dictionary(
  fc.oneof(fc.constantFrom("instance_url", "realmId"), fc.string({ maxLength: 12 })),
  fc.nat({ max: 6_000 }).map((length) => "€".repeat(length / 3)),
  { maxKeys: 30 },
);

describe("the members that a vendor sends with its tokens", () => {
  test("are all kept while there is room, and never beyond it", () => {
    fc.assert(
      fc.property(members, (extra) => {
        const kept = fitGrant(declares(), grantWith(extra)).extra ?? {};
        expect(jsonBytes(kept)).toBeLessThanOrEqual(budgets.extra);
        if (jsonBytes(extra) <= budgets.extra) expect(kept).toEqual(extra);
      }),
    );
  });

  test("lose the largest ones first, and none that the connector declares", () => {
    fc.assert(
      fc.property(members, (extra) => {
        const connector = declares("instance_url", "realmId");
        const kept = fitGrant(connector, grantWith(extra)).extra ?? {};
        for (const name of ["instance_url", "realmId"]) expect(kept[name]).toBe(extra[name]);
        const size = (name: string) => jsonBytes({ [name]: extra[name] });
        const names = Object.keys(extra).filter((name) => name !== "instance_url" && name !== "realmId");
        const gone = names.filter((name) => !Object.hasOwn(kept, name)).map(size);
        const left = names.filter((name) => Object.hasOwn(kept, name)).map(size);
        expect(Math.min(...gone)).toBeGreaterThanOrEqual(Math.max(0, ...left));
        // No more than necessary: with the smallest dropped member it would be too large.
        if (gone.length > 0) expect(jsonBytes(kept) + Math.min(...gone)).toBeGreaterThan(budgets.extra);
      }),
    );
  });

  test("can all be dropped, while tokens, client and times stay", () => {
    const { extra: _, ...rest } = grantWith({});
    const many = Object.fromEntries(Array.from({ length: 300 }, (_each, n) => [`m${n}`, "x".repeat(1_500)]));
    const fitted = fitGrant(declares(), grantWith(many));
    expect(fitted).toMatchObject(rest);
    expect(Object.keys(fitted.extra ?? {}).length).toBe(5);
    expect(withoutUndeclared(declares(), fitted)).toEqual(rest);
    expect(withoutUndeclared(declares(), grantWith({}))).toBeUndefined();
    expect(withoutUndeclared(declares("m1"), grantWith({ m1: "a", m2: "b" }))?.extra).toEqual({ m1: "a" });
  });

  test("do not include a scope or a token type that is too long", () => {
    const fitted = fitGrant(
      declares(),
      grantWith({}, { scope: "s ".repeat(5_000), tokenType: "t".repeat(200) }),
    );
    expect(fitted).toMatchObject({ tokenType: "bearer" });
    expect(fitted).not.toHaveProperty("scope");
  });
});

test("a grant whose tokens alone are too large is refused as the table would do", () => {
  expect(() => refuseTooLarge(grantWith({}, { accessToken: "a".repeat(30_000) }))).not.toThrow();
  expect(() => refuseTooLarge(grantWith({}, { accessToken: "a".repeat(66_000) }))).toThrow(StoreRefused);
});
