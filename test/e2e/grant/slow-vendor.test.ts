import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRefresh } from "../../vendor-kinds/gate.ts";
import type { CreatedInstance } from "../app.ts";
import { GrantLab, HOUR, LEASE_MS, SECOND } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

/** The 8 s that a caller waits, and the time that a call takes on a busy machine. */
const PATIENCE_MS = 11 * SECOND;

/** Starts a call whose refresh is held at the vendor, before or after the vendor has acted on it. */
async function stuck(instance: CreatedInstance, when: "before" | "after") {
  const hold = lab.vendors.strict.gate.hold(when, isRefresh);
  const startedAt = performance.now();
  const answered = lab.me(instance).then((answer) => ({ answer, tookMs: performance.now() - startedAt }));
  await hold.reached;
  return { hold, answered };
}

describe("a token endpoint at a strict vendor", { timeout: 150_000 }, () => {
  it("that answers after 13 s, after 45 s or never gets each refresh token once, and a late answer is stored", async () => {
    const { strict } = lab.vendors;
    const names = ["13 s", "45 s", "never"];
    const instances: CreatedInstance[] = [];
    for (const name of names) instances.push(await lab.app.connect("strict", { name }));
    lab.platform.clock.advance(HOUR);
    strict.gate.clear();
    const [quick, slow, silent] = instances as [CreatedInstance, CreatedInstance, CreatedInstance];

    const calls = [await stuck(quick, "after"), await stuck(slow, "after"), await stuck(silent, "before")];
    // No caller waits longer than 8 s, and each gets a Retry-After.
    for (const { answer, tookMs } of await Promise.all(calls.map(({ answered }) => answered))) {
      expect([answer.status, answer.body.code]).toEqual([503, "token_unavailable"]);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(tookMs).toBeLessThan(PATIENCE_MS);
    }
    await delay(4 * SECOND);
    calls[0]?.hold.release();
    // Meanwhile the other refresh tokens are not sent again, whoever calls.
    const [afterwards, waiting] = await Promise.all([lab.me(quick), lab.me(slow)]);
    expect([afterwards.status, waiting.status]).toEqual([200, 503]);
    await delay(24 * SECOND);
    calls[1]?.hold.release();
    expect((await lab.me(slow)).status).toBe(200);
    expect([strict.refreshes(), strict.mostSent()]).toEqual([3, 1]);

    // The third request is given up after its minute. The token is sent again only after the lease has ended.
    await lab.platform.settled(60_000);
    expect([strict.refreshes(), strict.mostSent()]).toEqual([3, 1]);
    lab.platform.clock.advance(LEASE_MS);
    expect((await lab.me(silent)).status).toBe(200);
    expect(strict.refreshes()).toBe(4);
    expect((await Promise.all(instances.map((each) => lab.me(each)))).map(({ status }) => status)).toEqual([
      200, 200, 200,
    ]);
  });

  it("that is slow does not delay a caller much while the token is valid", async () => {
    const instance = await lab.app.connect("strict");
    // 10 s are subtracted from each lifetime, so the token is in its last minute, in which it is refreshed.
    lab.platform.clock.advance(HOUR - 50 * SECOND);
    lab.vendors.strict.gate.clear();

    const { hold, answered } = await stuck(instance, "after");
    const startedAt = performance.now();
    const other = await lab.me(instance);
    expect(other.status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(5 * SECOND);
    const first = await answered;
    expect(first.answer.status).toBe(200);
    expect(first.tookMs).toBeLessThan(PATIENCE_MS);

    hold.release();
    await lab.platform.settled();
    expect((await lab.status(instance)).lastRefreshedAt).not.toBeNull();
    expect(lab.vendors.strict.refreshes()).toBe(1);
  });
});
