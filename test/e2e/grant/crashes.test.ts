import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRefresh, isRevocation } from "../../vendor-kinds/gate.ts";
import { GrantLab, type Kind, LEASE_MS, MINUTE } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

/**
 * How a refresh is stopped at each step, for its process to be killed there. The proxy's first UpdateItem takes the lease,
 * its second commits.
 */
const STEPS = {
  "with the lease taken": () =>
    lab.holdAws("after", { service: "dynamodb", action: "UpdateItem", principal: "Proxy" }),
  "with the request sent, and not heard by the vendor": (kind: Kind) => {
    const { reached, break: release } = lab.vendors[kind].gate.hold("before", isRefresh);
    return { reached, release };
  },
  "with the vendor's answer on its way": (kind: Kind) => lab.vendors[kind].gate.hold("after", isRefresh),
  "with the new grant in hand": () =>
    lab.holdAws("before", { service: "dynamodb", action: "UpdateItem", principal: "Proxy", skip: 1 }),
  "with the new grant stored": () =>
    lab.holdAws("after", { service: "dynamodb", action: "UpdateItem", principal: "Proxy", skip: 1 }),
} as const;
type Step = keyof typeof STEPS;

/** A strict vendor has ended the old token, and nobody stored the new one, so the grant is lost. */
const LOST_AT_STRICT: readonly Step[] = ["with the vendor's answer on its way", "with the new grant in hand"];

const cases = (["strict", "grace", "steady"] as const).flatMap((kind) =>
  (Object.keys(STEPS) as Step[]).map((step) => ({ kind, step })),
);

describe("a process that dies while it refreshes", () => {
  it.each(cases)("at a vendor that is $kind, $step", async ({ kind, step }) => {
    const vendor = lab.vendors[kind];
    const instance = await lab.connectExpired(kind);
    const stop = STEPS[step](kind);
    const answered = lab.me(instance);
    await stop.reached;

    await lab.kill("Proxy");
    expect((await answered).status).toBe(502);
    stop.release();
    expect(vendor.refreshes()).toBeLessThanOrEqual(1);
    lab.platform.clock.advance(LEASE_MS);
    const next = await lab.me(instance);

    if (kind === "strict" && LOST_AT_STRICT.includes(step)) {
      expect([next.status, next.body.code]).toEqual([401, "needs_reauthentication"]);
      return;
    }
    expect(next.status).toBe(200);
    expect((await lab.status(instance)).valid).toBe(true);
    // Two requests at most: that of the dead process, and that of the process that took over if it had to refresh.
    expect(vendor.mostSent()).toBeLessThanOrEqual(
      step === "with the lease taken" || step === "with the new grant stored" ? 1 : 2,
    );
  });

  it("does not let others send the refresh token again before its lease has ended", async () => {
    const vendor = lab.vendors.strict;
    const instance = await lab.connectExpired("strict");
    const stop = vendor.gate.hold("before", isRefresh);
    const answered = lab.me(instance);
    await stop.reached;
    await lab.kill("Proxy");
    await answered;
    stop.break();

    // The refused caller waits for some seconds of real time, and a busy machine adds more; the lease must last longer.
    lab.platform.clock.advance(LEASE_MS - MINUTE);
    const refused = await lab.me(instance);
    expect([refused.status, refused.body.code]).toEqual([503, "token_unavailable"]);
    await lab.sweep();
    expect(vendor.mostSent()).toBe(1);

    lab.platform.clock.advance(MINUTE);
    expect((await lab.me(instance)).status).toBe(200);
    expect(vendor.mostSent()).toBe(2);
  });
});

describe.each<Kind>(["strict", "grace"])(
  "a process that dies with its sign-in stored, at a vendor that is %s",
  (kind) => {
    it("before the vendor hears of the old grant: the old grant is ended later", async () => {
      const vendor = lab.vendors[kind];
      const before = vendor.living();
      const instance = await lab.app.connect(kind);
      const { oauthUrl } = await lab.app.authorizationUrl(kind);
      const query = new URLSearchParams((await lab.app.consent(kind, oauthUrl)).search);
      const stop = vendor.gate.hold("before", isRevocation);
      const answered = lab.app.platform("PATCH", `/instances/${instance.id}`, {
        providerData: { code: query.get("code"), state: query.get("state") },
      });
      await stop.reached;
      await lab.kill("Connections");
      expect((await answered).status).toBe(502);
      stop.break();
      expect((await lab.me(instance)).status).toBe(200);
      expect(vendor.living()).toBe(before + 2);

      lab.platform.clock.advance(5 * MINUTE + 3_000);
      await lab.sweep();
      expect(vendor.living()).toBe(before + 1);
      expect((await lab.me(instance)).status).toBe(200);
      await lab.app.platform("DELETE", `/instances/${instance.id}`);
      await lab.platform.settled();
      expect(vendor.living()).toBe(before);
    });
  },
);
