import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { countTenantUse, type TenantUse } from "../../../functions/core/tenants/tenant-use.ts";

const MINUTE = 60_000;
const LIMIT = 10;

let now: number;
let sums: Map<string, number>;
let writes: number;
let down: boolean;
beforeEach(() => {
  now = 1_000 * MINUTE;
  sums = new Map();
  writes = 0;
  down = false;
});

/** The table that all processes share. */
async function add(organizationId: string, minute: number, requests: number): Promise<number> {
  if (down) throw new Error("the table is down");
  writes += 1;
  const key = `${organizationId}#${minute}`;
  sums.set(key, (sums.get(key) ?? 0) + requests);
  return sums.get(key) as number;
}

const process = (requestsPerMinute = LIMIT): TenantUse =>
  countTenantUse({ requestsPerMinute, now: () => now, add });

/** One request as a function handles it. @returns whether it was allowed */
async function request(from: TenantUse, organizationId = "acme"): Promise<boolean> {
  try {
    from.admit(organizationId);
  } catch (error) {
    expect(error).toMatchObject({ status: 429, code: "tenant_limit_reached" });
    return false;
  }
  await from.writeDown(organizationId);
  return true;
}

async function served(from: TenantUse, times: number, organizationId?: string): Promise<number> {
  let good = 0;
  for (let index = 0; index < times; index++) if (await request(from, organizationId)) good += 1;
  return good;
}

describe("the bound on an organization's requests", () => {
  it("allows a number of requests per minute, then answers with Retry-After, and starts again with the next minute", async () => {
    const one = process();
    now += 48_500;
    expect(await served(one, 15)).toBe(LIMIT);
    expect(() => one.admit("acme")).toThrow(
      expect.objectContaining({
        status: 429,
        code: "tenant_limit_reached",
        headers: { "Retry-After": "12" },
        detail: { requestsPerMinute: LIMIT },
      }),
    );
    now += 12_000;
    expect(await request(one)).toBe(true);
  });

  it("applies to each organization separately", async () => {
    const one = process();
    expect(await served(one, 20, "acme")).toBe(LIMIT);
    expect(await served(one, 20, "other")).toBe(LIMIT);
  });

  it("includes the other processes' requests up to five seconds ago", async () => {
    const [one, other] = [process(), process()];
    expect(await served(one, 6)).toBe(6);
    now += 5_000;
    expect(await served(one, 1)).toBe(1);
    // The other process reads all seven with its own first write.
    expect(await served(other, 20)).toBe(3);
    now += 5_000;
    // Of the other's three requests it has read one, and then it allows two of its own.
    expect(await served(one, 20)).toBe(2);
    now += 5_000;
    expect(await served(one, 20)).toBe(0);
  });

  it("writes only after answers, and once in five seconds per organization and process", async () => {
    const one = process(1_000);
    one.admit("acme");
    expect(writes).toBe(0);
    await one.writeDown("acme");
    expect(writes).toBe(1);
    await served(one, 50);
    expect(writes).toBe(1);
    now += 5_000;
    await served(one, 50);
    expect(writes).toBe(2);
    expect([...sums.values()]).toEqual([52]);
  });

  it("counts on in memory while the table is down, and loses no counted request", async () => {
    const one = process();
    await request(one);
    down = true;
    for (let index = 0; index < 4; index++) {
      now += 5_000;
      one.admit("acme");
      await expect(one.writeDown("acme")).rejects.toThrow("down");
    }
    down = false;
    now += 5_000;
    expect(await request(one)).toBe(true);
    expect([...sums.values()]).toEqual([6]);
    expect(await served(one, 20)).toBe(4);
  });

  it("does not count refused requests, nor an organization without a request", async () => {
    const one = process();
    await served(one, 100);
    now += 5_000;
    await one.writeDown("acme");
    await one.writeDown("nobody");
    expect([...sums.values()]).toEqual([LIMIT]);
  });

  it("allows at most what each process may allow between two of its writes, for every order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ who: fc.integer({ min: 0, max: 3 }), afterMs: fc.integer({ min: 0, max: 3_000 }) }),
          { maxLength: 200 },
        ),
        async (calls) => {
          sums = new Map();
          now = 2_000 * MINUTE;
          const processes = [process(), process(), process(), process()];
          const good = new Map<number, number>();
          for (const { who, afterMs } of calls) {
            now += afterMs;
            const minute = Math.floor(now / MINUTE);
            if (await request(processes[who] as TenantUse)) good.set(minute, (good.get(minute) ?? 0) + 1);
          }
          for (const [minute, count] of good) {
            // Each of the four processes may use the whole bound before it reads the others' counts.
            expect(count).toBeLessThanOrEqual(4 * LIMIT);
            const sum = sums.get(`acme#${minute}`) ?? 0;
            expect(sum).toBeGreaterThan(0);
            expect(sum).toBeLessThanOrEqual(count);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
