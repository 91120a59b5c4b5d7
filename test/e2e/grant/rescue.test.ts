import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRefresh } from "../../vendor-kinds/gate.ts";
import type { CreatedInstance } from "../app.ts";
import { GrantLab, LEASE_MS, SECOND } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

/** Makes the proxy's writes to the table fail, or its calls to the bucket. */
const tableDown = () =>
  lab.platform.frontDoor.fail({
    service: "dynamodb",
    action: "UpdateItem",
    principal: "Proxy",
    status: 500,
    count: Number.POSITIVE_INFINITY,
  });
const bucketDown = () =>
  lab.platform.frontDoor.fail({
    service: "s3",
    principal: "Proxy",
    status: 503,
    count: Number.POSITIVE_INFINITY,
  });

/** The number of records that the next sweep finds. */
async function recordsLeft(): Promise<unknown> {
  await lab.platform.sweep();
  return lab.platform.lambda.metrics("RefreshSweep").at(-1)?.RescueRecords;
}

/**
 * Rotates each instance's refresh token at the vendor; then the table fails before the new grants are written. Returns when
 * the grants are in the rescue bucket and the table works again.
 */
async function rotateIntoRescue(count: number): Promise<CreatedInstance[]> {
  const { strict } = lab.vendors;
  const instances: CreatedInstance[] = [];
  for (let made = 0; made < count; made++) instances.push(await lab.app.connect("strict"));
  await lab.platform.settled();
  lab.platform.clock.advance(3_600 * SECOND);
  strict.gate.clear();
  const holds = [];
  const answers = [];
  for (const instance of instances) {
    const hold = strict.gate.hold("after", isRefresh);
    answers.push(lab.me(instance));
    await hold.reached;
    holds.push(hold);
  }
  tableDown();
  for (const hold of holds) hold.release();
  // The writes are tried for ten seconds; callers get their answer before that.
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(count).fill(503));
  await lab.platform.settled(40_000);
  lab.platform.frontDoor.clearFaults();
  return instances;
}

describe("new grants that the table did not accept", { timeout: 120_000 }, () => {
  it("are stored in the rescue bucket, and the old token is never sent, whoever uses the instance first", async () => {
    const { strict } = lab.vendors;
    const [called, swept, signedIn, deleted] = (await rotateIntoRescue(4)) as [
      CreatedInstance,
      CreatedInstance,
      CreatedInstance,
      CreatedInstance,
    ];
    expect([strict.refreshes(), strict.mostSent()]).toEqual([4, 1]);
    const living = strict.living();

    // A caller after the end of the lease looks into the bucket before it refreshes.
    lab.platform.clock.advance(LEASE_MS);
    expect((await lab.me(called)).status).toBe(200);
    // The user signs in again before the record is brought back.
    const { oauthUrl, state } = await lab.app.authorizationUrl("strict");
    const back = await lab.app.consent("strict", oauthUrl);
    const again = await lab.app.platform("PATCH", `/instances/${signedIn.id}`, {
      providerData: { code: back.searchParams.get("code"), state },
    });
    expect(again.status).toBe(200);
    // The user deletes the instance.
    expect((await lab.app.platform("DELETE", `/instances/${deleted.id}`)).status).toBe(200);
    // The sweep finds the remaining record.
    await lab.sweep();
    await lab.sweep();

    for (const instance of [called, swept, signedIn]) expect((await lab.me(instance)).status).toBe(200);
    expect((await lab.me(deleted)).status).toBe(401);
    expect([strict.refreshes(), strict.mostSent()]).toEqual([4, 1]);
    expect(lab.outcomes(swept)).toContain("rescued");
    // The rescued grant of the deleted instance is ended at the vendor, and no record is left.
    expect(strict.living()).toBe(living - 1);
    expect(await recordsLeft()).toBe(0);
  });

  it("cannot be read while the bucket does not answer, and the old token is not sent then", async () => {
    const { strict } = lab.vendors;
    const [instance] = (await rotateIntoRescue(1)) as [CreatedInstance];
    lab.platform.clock.advance(LEASE_MS);
    bucketDown();
    const refused = await lab.me(instance);
    expect([refused.status, refused.body.code]).toEqual([503, "token_unavailable"]);
    expect(strict.refreshes()).toBe(1);

    lab.platform.frontDoor.clearFaults();
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict.refreshes()).toBe(1);
    await lab.sweep();
    expect(await recordsLeft()).toBe(0);
  });

  it("are kept in memory while both stores fail, and stored as soon as one works again", async () => {
    const { strict } = lab.vendors;
    const instance = await lab.connectExpired("strict");
    const hold = strict.gate.hold("after", isRefresh);
    const answered = lab.me(instance);
    await hold.reached;
    tableDown();
    bucketDown();
    hold.release();
    expect((await answered).status).toBe(503);
    expect((await lab.me(instance)).status).toBe(503);
    lab.platform.frontDoor.clearFaults();
    await lab.platform.settled(60_000);
    lab.platform.clock.advance(LEASE_MS);
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict.refreshes()).toBe(1);
  });
});
