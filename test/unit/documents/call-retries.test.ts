import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { vendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { type VendorResponse, VendorUnreachable } from "../../../functions/core/vendor-http.ts";
import type { VendorSession } from "../../../functions/core/vendor-session.ts";

type Answer = number | { status: number; retryAfter: string } | VendorUnreachable | "cut body";

const notSent = new VendorUnreachable("no connection", { sent: false });
const lost = new VendorUnreachable("connection lost", { sent: true });
const timedOut = new VendorUnreachable("no answer", { sent: true, timedOut: true });

/** A vendor with these answers, one after another. */
function world(answers: readonly Answer[], { remainingMs = 60_000, random = 0 } = {}) {
  let now = 0;
  const sent: string[] = [];
  const waits: number[] = [];
  const session: Partial<VendorSession> = {
    secrets: () => [],
    remainingMs: () => remainingMs - now,
    async send({ body }): Promise<VendorResponse> {
      const answer = answers[sent.length] ?? 200;
      sent.push(String(body ?? ""));
      if (answer instanceof VendorUnreachable) throw answer;
      const status = typeof answer === "number" ? answer : answer === "cut body" ? 200 : answer.status;
      const more = typeof answer === "object" ? { "retry-after": answer.retryAfter } : {};
      const headers = { "content-type": "application/json", ...more };
      const cut = new Readable({ read: () => cut.destroy(lost) });
      const whole = Readable.from([Buffer.from("{}")]);
      return { status, headers, rawHeaders: [], body: answer === "cut body" ? cut : whole, url: "" };
    },
  };
  const call = vendorCall({
    session: session as VendorSession,
    refusal: (status) => (status === 403 ? "rate_limited" : undefined),
    instance: { configuration: {}, told: async () => ({}) },
    sleep: async (ms) => {
      now += ms;
      waits.push(ms);
    },
    random: () => random,
  });
  return { call, sent, waits };
}

const read = { method: "GET", url: "https://api.example.com/x" };
const write = { method: "POST", url: "https://api.example.com/x", body: "same bytes" };

describe("a call to a vendor", () => {
  it("is repeated after a rate limit, also a write, because the vendor has refused it", async () => {
    for (const answers of [
      [429, 429],
      [403, 429],
    ]) {
      const { call, sent, waits } = world(answers);
      await call.expectOk(write);
      expect(sent).toEqual(["same bytes", "same bytes", "same bytes"]);
      expect(waits).toEqual([400, 1200]);
    }
  });

  it("waits as long as the vendor asks for, and not at all for one that asks for more than five seconds", async () => {
    const patient = world([{ status: 429, retryAfter: "4" }]);
    await patient.call.expectOk(write);
    expect(patient.waits).toEqual([4000]);
    const { call, sent, waits } = world([{ status: 429, retryAfter: "6" }]);
    await expect(call.expectOk(read)).rejects.toMatchObject({ status: 429, headers: { "Retry-After": "6" } });
    expect([sent.length, waits]).toEqual([1, []]);
  });

  it("is given up after three tries, with the last failure", async () => {
    const { call, sent } = world([429, 429, 429, 200]);
    await expect(call.json(read)).rejects.toMatchObject({ status: 429, code: "rate_limited" });
    expect(sent).toHaveLength(3);
  });

  it("is not repeated when there is no time for it", async () => {
    const { call, sent } = world([429], { remainingMs: 10_300 });
    await expect(call.json(read)).rejects.toMatchObject({ status: 429 });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ["an error of the vendor's servers", [500, 503]],
    ["a lost connection", [lost, lost]],
    ["a cut body", ["cut body"] as const],
  ])("is repeated after %s if it changes nothing", async (_, answers) => {
    for (const request of [read, { ...write, repeatable: true as const }]) {
      const { call, sent } = world(answers);
      await call.json(request);
      expect(sent).toHaveLength(answers.length + 1);
      const changing = world(answers);
      await expect(changing.call.json(write)).rejects.toThrow();
      expect(changing.sent).toHaveLength(1);
    }
  });

  it("that was never sent is repeated, whatever it does", async () => {
    const { call, sent } = world([notSent]);
    await call.expectOk(write);
    expect(sent).toHaveLength(2);
  });

  it.each([
    ["a timeout", timedOut],
    ["a missing file", 404],
    ["a refused token", 401],
    ["a refusal", 400],
  ])("is not repeated after %s", async (_, answer) => {
    const { call, sent } = world([answer]);
    await expect(call.json(read)).rejects.toThrow();
    expect(sent).toHaveLength(1);
  });

  it("of many at once does not wait in step with the others", async () => {
    const { call, waits } = world([429], { random: 0.5 });
    await call.json(read);
    expect(waits).toEqual([500]);
  });
});
