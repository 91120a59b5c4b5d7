import fc from "fast-check";
import { expect, it } from "vitest";
import { stripHtml } from "../../../functions/connections/strip-html.ts";

it.each([
  ["<b>My</b> account", "My account"],
  ["<img src=x onerror=alert(1)", ""],
  ["Files <img src=x onerror=alert(1) ", "Files"],
  ["a <!-- b", "a"],
  ["a </b", "a"],
  ["<scr<script>ipt>alert(1)</script>", "ipt>alert(1)"],
  ["<<img src=x>img src=y", "img src=y"],
  ["I <3 files, 1 < 2", "I <3 files, 1 < 2"],
  ["a <", "a <"],
])("turns %j into %j", (label, shown) => {
  expect(stripHtml(label)).toBe(shown);
});

it("leaves no start of a tag in any label", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."<>/!? ab3\n") }), (label) => {
      expect(stripHtml(label)).not.toMatch(/<[a-z/!?]/i);
    }),
    { numRuns: 2_000 },
  );
});
