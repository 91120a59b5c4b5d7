import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GatedRequest, isApiCall } from "../../vendor-kinds/gate.ts";
import type { CreatedInstance } from "../app.ts";
import { GrantLab, MINUTE } from "./lab.ts";

let lab: GrantLab;
let instance: CreatedInstance;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(async () => {
  lab.clear();
  instance = await lab.app.connect("strict");
  await lab.platform.settled();
  lab.vendors.strict.gate.clear();
});

const UNAUTHORIZED = {
  status: 401,
  headers: { "Content-Type": "application/json" },
  body: '{"error":"the vendor says no"}',
};
const apiCalls = (): GatedRequest[] => lab.vendors.strict.gate.requests.filter(isApiCall);

describe("a vendor's 401", () => {
  it("once, causes one forced refresh and one repetition of the call with the same bytes", async () => {
    const body = randomBytes(200_000);
    lab.vendors.strict.gate.answer(isApiCall, UNAUTHORIZED, 1);
    const answer = await lab.app.call("POST", "/proxy/api/me?a=1&a=2", {
      authorization: `Bearer ${instance.token}`,
      body,
      headers: { "Content-Type": "application/octet-stream", "X-Mine": "kept" },
    });
    expect(answer.status).toBe(200);
    expect(lab.vendors.strict.refreshes()).toBe(1);
    const [first, second, ...more] = apiCalls();
    expect(more).toEqual([]);
    expect(first?.body.equals(body) && second?.body.equals(body)).toBe(true);
    const { authorization: one, ...headers } = first?.headers ?? {};
    const { authorization: other, ...again } = second?.headers ?? {};
    expect(again).toEqual(headers);
    expect(other).not.toBe(one);
  });

  it("twice in a row, causes one more try after a short wait, since not every server may know the new token yet", async () => {
    lab.vendors.strict.gate.answer(isApiCall, UNAUTHORIZED, 2);
    expect((await lab.me(instance)).status).toBe(200);
    expect([lab.vendors.strict.refreshes(), apiCalls().length]).toEqual([1, 3]);
    const [first, second, third] = apiCalls().map(({ headers }) => headers.authorization);
    expect([second === first, third === second]).toEqual([false, true]);
  });

  it("three times in a row, is passed to the caller unchanged", async () => {
    lab.vendors.strict.gate.answer(isApiCall, UNAUTHORIZED, 3);
    const answer = await lab.me(instance);
    expect([answer.status, answer.body]).toEqual([401, { error: "the vendor says no" }]);
    expect(answer.headers.get("elements-error-source")).toBeNull();
    expect([lab.vendors.strict.refreshes(), apiCalls().length]).toEqual([1, 3]);
    expect((await lab.me(instance)).status).toBe(200);
  });

  it("to fifty calls at once, causes one refresh, and all calls succeed", async () => {
    const old = await bearer();
    lab.vendors.strict.gate.answer(
      (request) => isApiCall(request) && request.headers.authorization === old,
      UNAUTHORIZED,
    );
    const answers = await Promise.all(Array.from({ length: 50 }, () => lab.me(instance)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(lab.vendors.strict.refreshes()).toBe(1);
  });

  it("to every call, causes at most one refresh a minute", async () => {
    lab.vendors.strict.gate.answer(isApiCall, UNAUTHORIZED);
    for (let calls = 0; calls < 10; calls++) expect((await lab.me(instance)).status).toBe(401);
    expect(lab.vendors.strict.refreshes()).toBe(1);
    lab.platform.clock.advance(MINUTE);
    for (let calls = 0; calls < 10; calls++) expect((await lab.me(instance)).status).toBe(401);
    expect(lab.vendors.strict.refreshes()).toBe(2);
    // The grant still works.
    lab.vendors.strict.gate.clear();
    expect((await lab.me(instance)).status).toBe(200);
  });
});

/** The Authorization header that the vendor gets for this instance now. */
async function bearer(): Promise<string | undefined> {
  await lab.me(instance);
  return apiCalls().at(-1)?.headers.authorization;
}
