import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../platform/functions.ts";
import { GrantLab, HOUR, MINUTE } from "./lab.ts";

let lab: GrantLab;
let processes = 0;
beforeAll(async () => {
  // Wall clocks of the processes are five minutes fast and five minutes slow in turn.
  lab = await GrantLab.start({ clockOffsetMs: () => (processes++ % 2 === 0 ? 5 * MINUTE : -5 * MINUTE) });
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

const strict = () => lab.vendors.strict;

describe("with wall clocks that are ten minutes apart", () => {
  it("many calls on an expired token cause one refresh, and all succeed", async () => {
    const instance = await lab.connectExpired("strict");
    const answers = await Promise.all(Array.from({ length: 30 }, () => lab.me(instance)));
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(strict().refreshes()).toBe(1);
    expect(lab.platform.lambda.processes("Proxy").length).toBeGreaterThan(1);
  });

  it("a token is refreshed neither too early nor too late", async () => {
    const instance = await lab.app.connect("strict");
    strict().gate.clear();
    for (const minutes of [20, 20, 18]) {
      lab.platform.clock.advance(minutes * MINUTE);
      expect((await lab.me(instance)).status).toBe(200);
    }
    expect(strict().refreshes()).toBe(0);
    lab.platform.clock.advance(1.5 * MINUTE);
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
  });
});

describe("while AWS fails", () => {
  it.each([
    ["shortly", 2, 200],
    ["for longer", 30, 503],
  ])("writes that are throttled %s delay a refresh and lose nothing", async (_, count, status) => {
    const instance = await lab.connectExpired("strict");
    lab.platform.frontDoor.fail({
      service: "dynamodb",
      action: "UpdateItem",
      principal: "Proxy",
      code: "ProvisionedThroughputExceededException",
      count,
    });
    const answer = await lab.me(instance);
    expect(answer.status).toBe(status);
    // Without a lease no request is sent to the vendor.
    expect(strict().refreshes()).toBe(status === 200 ? 1 : 0);
    if (status === 503) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    lab.platform.frontDoor.clearFaults();
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
  });

  it("the write of a new grant is retried when it is throttled", async () => {
    const instance = await lab.connectExpired("strict");
    lab.platform.frontDoor.fail({
      service: "dynamodb",
      action: "UpdateItem",
      principal: "Proxy",
      code: "ProvisionedThroughputExceededException",
      skip: 1,
      count: 7,
    });
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
  });

  it("a process recognizes its own write when the answer to the write was lost", async () => {
    const instance = await lab.connectExpired("strict");
    // The commit, the second write of a refresh.
    lab.platform.frontDoor.fail({
      service: "dynamodb",
      action: "UpdateItem",
      principal: "Proxy",
      reset: "after",
      skip: 1,
    });
    expect((await lab.me(instance)).status).toBe(200);
    lab.platform.clock.advance(2 * HOUR);
    expect((await lab.me(instance)).status).toBe(200);
    expect([strict().refreshes(), strict().mostSent()]).toEqual([2, 1]);
  });

  it("no refresh token is sent while KMS fails, because the new grant could not be sealed; afterwards the call works", async () => {
    const instance = await lab.connectExpired("strict");
    // Cold processes, which have no key yet.
    await lab.kill("Proxy");
    lab.platform.frontDoor.fail({ service: "kms", status: 500, count: Number.POSITIVE_INFINITY });
    expect((await lab.me(instance)).status).toBe(503);
    expect(strict().refreshes()).toBe(0);
    lab.platform.frontDoor.clearFaults();
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
  });

  it("a call works without the rescue bucket as long as the table works", async () => {
    const instance = await lab.connectExpired("strict");
    lab.platform.frontDoor.fail({ service: "s3", status: 503, count: Number.POSITIVE_INFINITY });
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
  });
});

describe("a message of the queue", () => {
  it("causes no second refresh when it comes twice, out of order, or after the work is done", async () => {
    const instance = await lab.connectExpired("strict");
    const { endpoint, region, credentials } = lab.platform.operator;
    const sqs = new SQSClient({ endpoint, region, credentials });
    const [source] = lab.platform.template.eventSources;
    const send = (body: Record<string, unknown>) =>
      sqs.send(
        new SendMessageCommand({
          QueueUrl: lab.platform.frontDoor.queueUrl(source?.queueName ?? ""),
          MessageBody: JSON.stringify({ kind: "refresh", instanceId: instance.id, ...body }),
          MessageGroupId: "any",
        }),
      );
    const versions = [1, 1, 0, 7, undefined, undefined, undefined, 1];
    await Promise.all(
      versions.map((version) => send({ cause: "schedule", ...(version === undefined ? {} : { version }) })),
    );
    await send({ cause: "just_in_time", version: 1 });
    await lab.platform.settled();
    await send({ cause: "unauthorized", version: 1 });
    await send({ cause: "delete" });
    await lab.platform.settled();

    expect(strict().refreshes()).toBe(1);
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
    sqs.destroy();
  });

  it("changes nothing when it comes again because it could not be deleted", async () => {
    const instance = await lab.app.connect("strict");
    await lab.platform.settled();
    lab.platform.clock.advance(50 * MINUTE);
    strict().gate.clear();
    const isRefreshed = async (): Promise<boolean> => (await lab.status(instance)).lastRefreshedAt !== null;
    lab.platform.frontDoor.fail({ service: "sqs", action: "DeleteMessage", status: 500, count: 1 });
    await lab.platform.sweep();
    await until(isRefreshed, "the grant is refreshed");
    // The worker must have ended before the clock moves, because the clock must not pass the end of a lease that is still
    // held.
    await until(() => lab.platform.lambda.isIdle(), "the worker has come to rest");

    // The queue's visibility timeout, by the platform's clock.
    lab.platform.clock.advance(31 * MINUTE);
    await lab.sweep();
    expect(strict().mostSent()).toBe(1);
    expect((await lab.me(instance)).status).toBe(200);
  });
});
