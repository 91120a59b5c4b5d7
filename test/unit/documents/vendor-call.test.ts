import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CallRequest, vendorCall } from "../../../functions/core/documents/vendor-call.ts";
import type { VendorResponse } from "../../../functions/core/vendor-http.ts";
import type { VendorSession } from "../../../functions/core/vendor-session.ts";

const FUNCTION_MS = 900_000;
const request: CallRequest = { method: "POST", url: "https://api.dropboxapi.com/2/anything" };

/** A body that never ends: a byte every 20 s, so that it is never idle for a minute. */
function dripping(): Readable {
  const body = new Readable({ read: () => {} });
  const drip = setInterval(() => body.push(" "), 20_000);
  body.once("close", () => clearInterval(drip));
  return body;
}

function callThrough(session: Partial<VendorSession>) {
  return vendorCall({
    session: session as VendorSession,
    refusal: () => undefined,
    instance: { configuration: {}, told: async () => ({}) },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => 0,
  });
}

/** A vendor whose headers come after `headMs`. */
function callTo(status: number, headMs: number) {
  const beganMs = Date.now();
  const bodies: Readable[] = [];
  const session: Partial<VendorSession> = {
    secrets: () => [],
    remainingMs: () => FUNCTION_MS - (Date.now() - beganMs),
    async send(): Promise<VendorResponse> {
      await new Promise((resolve) => setTimeout(resolve, headMs));
      const body = dripping();
      bodies.push(body);
      const headers = { "content-type": "application/json" };
      return { status, headers, rawHeaders: [], body, url: request.url };
    },
  };
  return {
    call: callThrough(session),
    bodies,
  };
}

/** The error of a call, and after how many seconds it came. */
async function ended(work: Promise<unknown>): Promise<{ error: unknown; seconds: number }> {
  const beganMs = Date.now();
  const outcome = work.then(
    () => ({ error: undefined, seconds: (Date.now() - beganMs) / 1_000 }),
    (error: unknown) => ({ error, seconds: (Date.now() - beganMs) / 1_000 }),
  );
  await vi.advanceTimersByTimeAsync(FUNCTION_MS);
  return await outcome;
}

describe("a vendor that sends its answer slowly", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ["is given up when the call's time is over", 0, 20],
    ["has the same time for headers and body together", 12_000, 20],
    ["gets a little time for the body when its headers came at the last moment", 19_000, 24],
  ])("%s", async (_, headMs, seconds) => {
    const { call, bodies } = callTo(200, headMs);
    const end = await ended(call.json(request));
    expect(end).toMatchObject({ error: { name: "VendorUnreachable", timedOut: true }, seconds });
    expect(bodies.map((body) => body.destroyed)).toEqual([true]);
  });

  it("is given the timeout of the call", async () => {
    const { call } = callTo(200, 0);
    expect((await ended(call.json({ ...request, timeoutMs: 60_000 }))).seconds).toBe(60);
  });

  it.each([
    [500, "vendor_error"],
    [409, "vendor_bad_answer"],
  ])("and answers %i is reported by its status, in time", async (status, code) => {
    const { call } = callTo(status, 0);
    const end = await ended(call.expectOk(request));
    expect(end).toMatchObject({ error: { status: 502, code }, seconds: 20 });
  });
});

describe("the URL of a call", () => {
  const endpoint = async () => ({
    origin: "https://acme.example.com",
    hosts: { upload: "https://up.example.com" },
    headers: [],
    allowedHosts: [],
  });

  it.each([
    [{ url: "/v1/files?a=b" }, "https://acme.example.com/v1/files?a=b"],
    [{ url: "/v1/files", host: "upload" }, "https://up.example.com/v1/files"],
    [{ url: "https://other.example.com/x" }, "https://other.example.com/x"],
  ])("%j is %s", async (wanted, sentTo) => {
    const urls: string[] = [];
    const session: Partial<VendorSession> = {
      endpoint,
      remainingMs: () => FUNCTION_MS,
      async send({ url }): Promise<VendorResponse> {
        urls.push(url);
        return { status: 200, headers: {}, rawHeaders: [], body: Readable.from([]), url };
      },
    };
    await callThrough(session).expectOk({
      method: "GET",
      ...wanted,
    });
    expect(urls).toEqual([sentTo]);
  });
});
