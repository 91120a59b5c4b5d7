import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../platform/functions.ts";
import { GrantLab, HOUR, MINUTE } from "./lab.ts";

let lab: GrantLab;
let processes = 0;
beforeAll(async () => {
  // Every second process's wall clock is five minutes fast, the others' five minutes slow.
  lab = await GrantLab.start({ clockOffsetMs: () => (processes++ % 2 === 0 ? 5 * MINUTE : -5 * MINUTE) });
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

const strict = () => lab.vendors.strict;

describe("with wall clocks that are ten minutes apart", () => {
  it("many calls on an expired token cause one refresh, and all are answered", async () => {
    const instance = await lab.connectExpired("strict");
    const answers = await Promise.all(Array.from({ length: 30 }, () => lab.me(instance)));
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(strict().refreshes()).toBe(1);
    expect(lab.platform.lambda.processes("Proxy").length).toBeGreaterThan(1);
  });

  it("a token is renewed neither early nor late", async () => {
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
  ])("throttled %s, writes delay a refresh and lose nothing", async (_, count, status) => {
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
    // Without a lease nothing is sent.
    expect(strict().refreshes()).toBe(status === 200 ? 1 : 0);
    if (status === 503) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    lab.platform.frontDoor.clearFaults();
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
  });

  it("throttled when a new grant is stored, the write is tried until it is taken", async () => {
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

  it("a write whose answer is lost is not taken for somebody else's", async () => {
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

  it("without KMS nothing is sent that could not be sealed, and all is well when it is back", async () => {
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

  it("a bucket that fails is missed by nobody as long as the table works", async () => {
    const instance = await lab.connectExpired("strict");
    lab.platform.frontDoor.fail({ service: "s3", status: 503, count: Number.POSITIVE_INFINITY });
    expect((await lab.me(instance)).status).toBe(200);
    expect(strict().refreshes()).toBe(1);
  });
});

describe("messages of the queue", () => {
  it("that come twice, out of order or for what is long done, cause no second refresh", async () => {
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

  it("whose end the queue did not hear of come again and change nothing", async () => {
    const instance = await lab.app.connect("strict");
    await lab.platform.settled();
    lab.platform.clock.advance(50 * MINUTE);
    strict().gate.clear();
    const isRefreshed = async (): Promise<boolean> => (await lab.status(instance)).lastRefreshedAt !== null;
    lab.platform.frontDoor.fail({ service: "sqs", action: "DeleteMessage", status: 500, count: 1 });
    await lab.platform.sweep();
    await until(isRefreshed, "the grant is refreshed");
    // The clock must not jump over a lease that somebody still holds.
    await until(() => lab.platform.lambda.isIdle(), "the worker has come to rest");

    // The queue's visibility timeout, by the platform's clock.
    lab.platform.clock.advance(31 * MINUTE);
    await lab.sweep();
    expect(strict().mostSent()).toBe(1);
    expect((await lab.me(instance)).status).toBe(200);
  });
});
