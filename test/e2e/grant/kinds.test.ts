import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { VendorKind } from "../../vendor-kinds/server.ts";
import type { CreatedInstance } from "../app.ts";
import { GrantLab, HOUR, MINUTE, SECOND } from "./lab.ts";

const DAY = 24 * HOUR;

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

const call = async (instance: CreatedInstance): Promise<number> =>
  (await lab.app.hub(instance.token, "GET", "/proxy/me")).status;
const asked = (kind: VendorKind): number =>
  lab.kinds.tokenRequests.filter((request) => request.kind === kind).length;

/** Lets `count` days pass without a call, with a sweep after every `step` days. */
async function days(count: number, step = 1): Promise<void> {
  for (let day = 0; day < count; day += step) {
    lab.platform.clock.advance(step * DAY);
    await lab.sweep();
  }
}

describe("a grant without a refresh token", () => {
  it("that never ends works for a year, without any refresh request", async () => {
    const instance = await lab.connectKind("eternal");
    for (let month = 0; month < 12; month++) {
      lab.platform.clock.advance(30 * DAY);
      await lab.sweep();
      expect(await call(instance)).toBe(200);
    }
    expect(asked("eternal")).toBe(0);
    const status = await lab.status(instance);
    expect([status.valid, status.nextRefreshAt]).toEqual([true, null]);
    const forced = await lab.app.platform<{ code: string }>("POST", `/instances/${instance.id}/refresh`);
    expect([forced.status, forced.body.code]).toEqual([501, "not_supported"]);
  });

  it("is used until the vendor refuses it, and ends then if its time has run out", async () => {
    const instance = await lab.connectKind("shortlived");
    lab.platform.clock.advance(59 * MINUTE);
    expect(await call(instance)).toBe(200);
    lab.platform.clock.advance(2 * MINUTE);
    await lab.sweep();
    expect(await call(instance)).toBe(401);
    expect(asked("shortlived")).toBe(0);
    const { valid, lastError } = await lab.status(instance);
    expect([valid, lastError?.code]).toEqual([false, "token_expired"]);
  });
});

describe.each<VendorKind>(["milliseconds", "text", "unknown", "query", "json"])(
  "a vendor of the kind %s",
  (kind) => {
    it("has its token refreshed once per lifetime, and every call succeeds", async () => {
      const instance = await lab.connectKind(kind);
      for (let calls = 0; calls < 24; calls++) {
        lab.platform.clock.advance(10 * MINUTE);
        expect(await call(instance)).toBe(200);
      }
      expect(asked(kind)).toBeGreaterThanOrEqual(3);
      expect(asked(kind)).toBeLessThanOrEqual(5);
    });
  },
);

describe("a token with a lifetime of 5 s", () => {
  it("works for every call, and is refreshed once each time it runs out", async () => {
    lab.kinds.rules.text.lifetimeMs = 5 * SECOND;
    const instance = await lab.connectKind("text");
    for (let calls = 0; calls < 20; calls++) {
      lab.platform.clock.advance(500);
      expect(await call(instance)).toBe(200);
    }
    expect(asked("text")).toBeLessThanOrEqual((20 * 0.5) / 2.4 + 2);
    expect(asked("text")).toBeGreaterThanOrEqual(2);
    lab.kinds.rules.text.lifetimeMs = HOUR;
  });
});

describe("a refresh token that ends after 30 days without use", () => {
  it("is used twice a month while nobody uses the connection, which still works after three months", async () => {
    const instance = await lab.connectKind("idle");
    await days(90);
    // Hourly refreshes in the first week, while the grant counts as used; then two a month.
    const afterTheFirstWeek = 83 / 15;
    expect(asked("idle")).toBeGreaterThanOrEqual(Math.floor(afterTheFirstWeek * 0.9));
    expect(asked("idle")).toBeLessThanOrEqual(8 + Math.ceil(afterTheFirstWeek * 1.2));
    expect(await call(instance)).toBe(200);
  });
});

describe("a long-lived token that is exchanged for a new one of its kind", () => {
  it("is obtained at the sign-in by a second exchange, and is renewed for a year without use", async () => {
    const instance = await lab.connectKind("longlived");
    await days(365, 5);
    expect(asked("longlived")).toBeGreaterThanOrEqual(10);
    expect(asked("longlived")).toBeLessThanOrEqual(14);
    expect(await call(instance)).toBe(200);
  });

  it("is not renewed before its minimum age, whatever the vendor's API answers", async () => {
    const instance = await lab.connectKind("longlived");
    lab.kinds.endConsents("longlived");
    for (let calls = 0; calls < 2; calls++) expect(await call(instance)).toBe(401);
    expect(asked("longlived")).toBe(0);
    const forced = await lab.app.platform<{ code: string }>("POST", `/instances/${instance.id}/refresh`);
    expect([forced.status, forced.body.code]).toEqual([409, "not_renewable_yet"]);
  });

  it("that has ended leads to a new sign-in, which revives the instance", async () => {
    const instance = await lab.connectKind("longlived");
    lab.platform.clock.advance(2 * DAY);
    lab.kinds.endConsents("longlived");
    const { status, body } = await lab.app.hub<{ code: string }>(instance.token, "GET", "/proxy/me");
    expect([status, body.code]).toEqual([401, "needs_reauthentication"]);
    const again = await lab.app.platform("PATCH", `/instances/${instance.id}`, {
      providerData: { code: lab.kinds.code("longlived") },
    });
    expect(again.status).toBe(200);
    expect(await call(instance)).toBe(200);
  });
});
