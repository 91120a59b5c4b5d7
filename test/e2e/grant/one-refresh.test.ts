import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GrantLab, type Kind } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

const CALLS = 50;

describe.each<Kind>(["strict", "grace", "steady"])(
  "fifty calls at once on an expired token at a vendor that is %s",
  (kind) => {
    it("cause one refresh across several processes, and all succeed", async () => {
      const instance = await lab.connectExpired(kind);

      const answers = await Promise.all(Array.from({ length: CALLS }, () => lab.me(instance)));

      expect(answers.map(({ status }) => status)).toEqual(Array(CALLS).fill(200));
      expect(lab.vendors[kind].refreshes()).toBe(1);
      expect(lab.platform.lambda.processes("Proxy").length).toBeGreaterThan(3);
    });
  },
);
