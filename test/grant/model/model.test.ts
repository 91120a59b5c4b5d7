import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ALL_RULES, type Rules } from "./rules.ts";
import { type Actor, play, type Scenario } from "./scenario.ts";
import type { VendorKind } from "./vendor-model.ts";

/**
 * The real core in a world of its own: each call of a port is a point where anything else may happen first, time may pass, the
 * process may die, the answer may be lost. The invariants are those of docs/grant; a failure prints its seed and its history.
 * GRANT_SEED and GRANT_RUNS repeat a failure, or look further.
 */
const seed = Number(process.env.GRANT_SEED ?? 8);
const runs = Number(process.env.GRANT_RUNS ?? 6000);

const actor: fc.Arbitrary<Actor> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Actor>("R") },
  { weight: 3, arbitrary: fc.constantFrom<Actor[]>("J", "U", "S", "W") },
  { weight: 2, arbitrary: fc.constantFrom<Actor[]>("Q", "Q", "X", "Y", "D", "E", "K") },
);

const scenario = (vendor: VendorKind, givesUnusable: boolean): fc.Arbitrary<Scenario> =>
  fc.record({
    vendor: fc.constant(vendor),
    // One that gives a living token again: whichever sign-in ends it, ends it for the others under way.
    tellsAccounts: vendor === "A" ? fc.constant(false) : fc.boolean(),
    actors: fc.array(actor, { minLength: 2, maxLength: 6 }),
    faults: fc.nat({ max: 4 }),
    choices: fc.array(fc.nat({ max: 100_000 }), { minLength: 20, maxLength: 160, size: "max" }),
    unusable: givesUnusable
      ? fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) })
      : fc.constant(0),
  });

describe.each<VendorKind>(["N", "S", "G", "A"])("at a vendor of kind %s", (vendor) => {
  test("the invariants hold, whatever happens in whatever order", { timeout: 300_000 }, async () => {
    const reached = {
      leases: 0,
      rescues: 0,
      signIns: 0,
      deaths: 0,
      revocations: 0,
      tellings: 0,
      reseals: 0,
      unusable: 0,
    };
    await fc.assert(
      fc.asyncProperty(scenario(vendor, true), async (each) => {
        const world = await play(each);
        const history = world.log.join("\n");
        if (history.includes("takes the lease")) reached.leases++;
        if (history.includes("puts the record")) reached.rescues++;
        if (history.includes("signs in")) reached.signIns++;
        if (history.includes("marks version")) reached.deaths++;
        if (history.includes("revokes token")) reached.revocations++;
        if (history.includes("tells instance.")) reached.tellings++;
        if (history.includes("re-seals version")) reached.reseals++;
        if (history.includes("of no use")) reached.unusable++;
      }),
      { seed, numRuns: runs },
    );
    // A model that never gets anywhere proves nothing.
    for (const count of Object.values(reached)) expect(count).toBeGreaterThan(0);
  });
});

describe("the model notices when a rule is taken out", () => {
  // Each rule with a vendor at which it matters, and the invariants that may tell.
  const cases: [keyof Rules, VendorKind][] = [
    ["lease", "S"],
    ["commitVersion", "S"],
    ["takeFence", "S"],
    ["look", "S"],
    ["checkBeforeSend", "S"],
    ["releaseFence", "S"],
    ["deadCondition", "S"],
    ["keepReplaced", "G"],
    ["forgetEpoch", "G"],
    ["revokeReplaced", "G"],
    ["revokeLoser", "G"],
    ["resealVersion", "S"],
    ["keepRotated", "S"],
  ];
  test.each(cases)("%s (at %s)", { timeout: 120_000 }, async (rule, vendor) => {
    const found = await fc.check(
      fc.asyncProperty(scenario(vendor, rule === "keepRotated"), async (each) => {
        await play(each, { ...ALL_RULES, [rule]: false });
      }),
      { seed, numRuns: 20_000, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
    // By an invariant, not by an accident of the test.
    expect(String(found.errorInstance)).toMatch(/^Error: [1-9]: /);
  });
});
