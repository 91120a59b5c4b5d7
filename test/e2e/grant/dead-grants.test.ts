import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Answer, CreatedInstance } from "../app.ts";
import { GrantLab, HOUR, MINUTE } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => {
  lab.clear();
  lab.vendors.strict.signsIn("ann");
});

async function providerData(): Promise<{ code: string | null; state: string | null }> {
  const { oauthUrl } = await lab.app.authorizationUrl("strict");
  const { searchParams } = await lab.app.consent("strict", oauthUrl);
  return { code: searchParams.get("code"), state: searchParams.get("state") };
}

type Changed = Answer<{ id: number; token: string; code?: string }>;

describe("a grant that its vendor has ended", () => {
  let instance: CreatedInstance;
  beforeEach(async () => {
    instance = await lab.connectExpired("strict");
    lab.vendors.strict.revokeAll("ann");
  });

  it("costs one request to the vendor, whoever calls and however often", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => lab.me(instance)));
    for (const { status, body } of answers)
      expect([status, body.code]).toEqual([401, "needs_reauthentication"]);
    expect(lab.vendors.strict.refreshes()).toBe(1);

    const { valid, nextRefreshAt, lastError } = await lab.status(instance);
    expect([valid, nextRefreshAt, lastError?.code, lastError?.error]).toEqual([
      false,
      null,
      "invalid_grant",
      "invalid_grant",
    ]);
    for (let day = 0; day < 3; day++) {
      lab.platform.clock.advance(24 * HOUR);
      await lab.sweep();
      expect((await lab.me(instance)).status).toBe(401);
    }
    const forced = await lab.app.platform<{ code: string }>("POST", `/instances/${instance.id}/refresh`);
    expect([forced.status, forced.body.code]).toEqual([401, "needs_reauthentication"]);
    expect(lab.vendors.strict.refreshes()).toBe(1);
    expect(lab.outcomes(instance).filter((outcome) => outcome === "needs_reauth")).toHaveLength(1);
  });

  it("is tried again once an hour for an app with its user's secret, never for an instance token", async () => {
    expect((await lab.me(instance)).status).toBe(401);
    const refresh = (authorization: string) =>
      lab.app.call<{ code?: string }>("POST", `/instances/${instance.id}/refresh`, { authorization });
    const owner = lab.app.platformAuthorization;
    const told: [number, string | undefined, number][] = [];
    const ask = async (authorization: string) => {
      const { status, body } = await refresh(authorization);
      told.push([status, body.code, lab.vendors.strict.refreshes()]);
    };
    lab.platform.clock.advance(2 * MINUTE);
    await ask(`Bearer ${instance.token}`);
    await ask(owner);
    await ask(owner);
    lab.platform.clock.advance(HOUR + MINUTE);
    await ask(owner);
    expect(told).toEqual([
      [401, "needs_reauthentication", 1],
      [401, "needs_reauthentication", 2],
      [429, "refresh_too_soon", 2],
      [401, "needs_reauthentication", 3],
    ]);
    expect(lab.outcomes(instance).filter((outcome) => outcome === "still_dead")).toHaveLength(2);
  });

  it.each(["PUT", "PATCH"])(
    "works again after %s with a new code, with the same id and token",
    async (method) => {
      expect((await lab.me(instance)).status).toBe(401);
      const whole = (await lab.app.platform<Record<string, unknown>>("GET", `/instances/${instance.id}`))
        .body;
      const again: Changed = await lab.app.platform(method, `/instances/${instance.id}`, {
        ...(method === "PUT" ? whole : {}),
        providerData: await providerData(),
      });
      expect([again.status, again.body.id, again.body.token]).toEqual([200, instance.id, "********"]);
      expect((await lab.me(instance)).status).toBe(200);
      expect((await lab.status(instance)).valid).toBe(true);
    },
  );

  it("does not accept another account, whose new grant is ended, unless the app accepts another account", async () => {
    expect((await lab.me(instance)).status).toBe(401);
    const before = lab.vendors.strict.living();
    lab.vendors.strict.signsIn("eve");
    const refused: Changed = await lab.app.platform("PATCH", `/instances/${instance.id}`, {
      providerData: await providerData(),
    });
    expect([refused.status, refused.body.code]).toEqual([409, "another_account"]);
    expect(lab.vendors.strict.living()).toBe(before);
    expect((await lab.me(instance)).status).toBe(401);

    const welcome: Changed = await lab.app.platform("PATCH", `/instances/${instance.id}`, {
      providerData: await providerData(),
      acceptOtherAccount: true,
    });
    expect(welcome.status).toBe(200);
    expect((await lab.me(instance)).body.id).toBe("eve");
  });

  it("ends another account's new grant later when the vendor does not accept the revocation now", async () => {
    expect((await lab.me(instance)).status).toBe(401);
    const { strict } = lab.vendors;
    const before = strict.living();
    strict.signsIn("eve");
    strict.gate.answer(({ path }) => path === "/revoke", { status: 503, headers: {}, body: "" });
    const refused: Changed = await lab.app.platform("PATCH", `/instances/${instance.id}`, {
      providerData: await providerData(),
    });
    expect([refused.status, refused.body.code]).toEqual([409, "another_account"]);
    expect(strict.living()).toBe(before + 1);

    strict.gate.clear();
    await lab.sweep();
    expect(strict.living()).toBe(before);
    expect((await lab.me(instance)).status).toBe(401);
  });
});
