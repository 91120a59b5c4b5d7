import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isCodeExchange, isRefresh } from "../../vendor-kinds/gate.ts";
import type { Answer, CreatedInstance } from "../app.ts";
import { GrantLab, type Kind, LEASE_MS } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

/** The user consents again; the app sends the code for the existing instance. */
async function newCode(kind: Kind): Promise<() => Promise<string>> {
  const { oauthUrl } = await lab.app.authorizationUrl(kind);
  return async () => (await lab.app.consent(kind, oauthUrl)).search;
}

async function signIn(kind: Kind, { id }: CreatedInstance): Promise<Answer<{ id: number; code?: string }>> {
  const query = new URLSearchParams(await (await newCode(kind))());
  return await lab.app.platform("PATCH", `/instances/${id}`, {
    providerData: { code: query.get("code"), state: query.get("state") },
  });
}

const STEPS = {
  "the lease is taken": () =>
    lab.holdAws("after", { service: "dynamodb", action: "UpdateItem", principal: "Proxy" }),
  "the request is on its way": (kind: Kind) => lab.vendors[kind].gate.hold("before", isRefresh),
  "the vendor's answer is on its way": (kind: Kind) => lab.vendors[kind].gate.hold("after", isRefresh),
  "the new grant is about to be stored": () =>
    lab.holdAws("before", { service: "dynamodb", action: "UpdateItem", principal: "Proxy", skip: 1 }),
  "the new grant was just stored": () =>
    lab.holdAws("after", { service: "dynamodb", action: "UpdateItem", principal: "Proxy", skip: 1 }),
} as const;
type Step = keyof typeof STEPS;
const cases = (["strict", "grace"] as const).flatMap((kind) =>
  (Object.keys(STEPS) as Step[]).map((step) => ({ kind, step })),
);

describe.each(cases)("while $step at a vendor that is $kind", ({ kind, step }) => {
  let instance: CreatedInstance;
  let before: number;
  let stop: { reached: Promise<unknown>; release: () => void };
  let answered: Promise<{ status: number }>;
  beforeEach(async () => {
    before = lab.vendors[kind].living();
    instance = await lab.connectExpired(kind);
    stop = STEPS[step](kind);
    answered = lab.me(instance);
    await stop.reached;
  });

  it("a sign-in wins, and only one of the two grants stays valid", async () => {
    expect((await signIn(kind, instance)).status).toBe(200);
    stop.release();
    await answered;
    await lab.sweep();
    lab.platform.clock.advance(LEASE_MS);
    await lab.sweep();

    expect((await lab.me(instance)).status).toBe(200);
    expect((await lab.status(instance)).valid).toBe(true);
    expect(lab.vendors[kind].living()).toBe(before + 1);
    await end(instance);
  });

  it("a delete wins, and no grant stays valid", async () => {
    expect((await lab.app.platform("DELETE", `/instances/${instance.id}`)).status).toBe(200);
    expect((await lab.me(instance)).status).toBe(401);
    stop.release();
    await answered;
    await lab.platform.settled();
    lab.platform.clock.advance(LEASE_MS);
    await lab.sweep();

    expect((await lab.app.platform("GET", `/instances/${instance.id}`)).status).toBe(404);
    expect(lab.vendors[kind].living()).toBe(before);
  });

  it("a disable stops the calls and loses no grant", async () => {
    expect((await lab.app.platform("DELETE", `/instances/${instance.id}/enabled`)).status).toBe(200);
    stop.release();
    await answered;
    await lab.platform.settled();
    expect((await lab.me(instance)).status).toBe(403);
    lab.platform.clock.advance(LEASE_MS);
    await lab.sweep();
    const asked = lab.vendors[kind].refreshes();
    expect(asked).toBe(1);

    expect((await lab.app.platform("PUT", `/instances/${instance.id}/enabled`)).status).toBe(200);
    expect((await lab.me(instance)).status).toBe(200);
    expect(lab.vendors[kind].refreshes()).toBe(asked);
    expect(lab.vendors[kind].living()).toBe(before + 1);
    await end(instance);
  });
});

async function end({ id }: CreatedInstance): Promise<void> {
  await lab.app.platform("DELETE", `/instances/${id}`);
  await lab.platform.settled();
}

describe.each<Kind>(["strict", "grace"])("two sign-ins at once at a vendor that is %s", (kind) => {
  it("keep the later sign-in's grant, and end the other one", async () => {
    const before = lab.vendors[kind].living();
    const instance = await lab.app.connect(kind);
    const codes = [await newCode(kind), await newCode(kind)];
    const queries = [];
    for (const code of codes) queries.push(new URLSearchParams(await code()));
    const hold = lab.vendors[kind].gate.hold("after", isCodeExchange);
    const bring = (query: URLSearchParams | undefined) =>
      lab.app.platform<{ code?: string }>("PATCH", `/instances/${instance.id}`, {
        providerData: { code: query?.get("code"), state: query?.get("state") },
      });
    // The first sign-in's state is consumed first; the vendor answers it late.
    const first = bring(queries[0]);
    await hold.reached;
    lab.platform.clock.advance(2_000);
    const second = await bring(queries[1]);
    expect(second.status).toBe(200);
    hold.release();
    const late = await first;
    expect([late.status, late.body.code]).toEqual([409, "sign_in_superseded"]);

    await lab.platform.settled();
    expect((await lab.me(instance)).status).toBe(200);
    expect(lab.vendors[kind].living()).toBe(before + 1);
    await end(instance);
    expect(lab.vendors[kind].living()).toBe(before);
  });
});

describe("a sign-in at a vendor that returns the valid token again", () => {
  it("does not end that token, even when a late refresh brings the same token", async () => {
    const before = lab.vendors.again.living();
    const instance = await lab.connectExpired("again");
    const refresh = lab.vendors.again.gate.hold("after", isRefresh);
    const answered = lab.me(instance);
    await refresh.reached;
    expect((await signIn("again", instance)).status).toBe(200);
    refresh.release();
    await answered;
    await lab.platform.settled();

    expect(lab.vendors.again.living()).toBe(before + 1);
    expect((await lab.me(instance)).status).toBe(200);
    await end(instance);
    expect(lab.vendors.again.living()).toBe(before);
  });
});

describe("a process that is stalled until its lease has ended", () => {
  it("does not overwrite the grant of the process that took over, at a vendor with a grace window", async () => {
    const instance = await lab.connectExpired("grace");
    const stalled = lab.vendors.grace.gate.hold("after", isRefresh);
    const first = lab.me(instance);
    await stalled.reached;
    lab.platform.clock.advance(LEASE_MS);
    expect((await lab.me(instance)).status).toBe(200);
    const stored = (await lab.status(instance)).lastRefreshedAt;

    stalled.release();
    expect((await first).status).toBe(200);
    await lab.platform.settled();
    expect((await lab.status(instance)).lastRefreshedAt).toBe(stored);
    lab.platform.clock.advance(2 * 3_600_000);
    expect((await lab.me(instance)).status).toBe(200);
    await end(instance);
  });

  it("loses the grant at a strict vendor, which saw the token twice, and the caller is told", async () => {
    const instance = await lab.connectExpired("strict");
    const stalled = lab.vendors.strict.gate.hold("after", isRefresh);
    const first = lab.me(instance);
    await stalled.reached;
    lab.platform.clock.advance(LEASE_MS);
    const second = await lab.me(instance);
    stalled.release();
    await first;
    await lab.platform.settled();
    const third = await lab.me(instance);
    // Either process may have written first. This vendor has ended all tokens, so no stored token works.
    expect([second.body.code, third.body.code]).toContain("needs_reauthentication");
    expect((await signIn("strict", instance)).status).toBe(200);
    expect((await lab.me(instance)).status).toBe(200);
  });
});
