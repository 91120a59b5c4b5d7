import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isCodeExchange } from "../../vendor-kinds/gate.ts";
import type { Answer, CreatedInstance } from "../app.ts";
import { GrantLab } from "./lab.ts";

let lab: GrantLab;
beforeAll(async () => {
  lab = await GrantLab.start();
});
afterAll(() => lab.close());
beforeEach(() => lab.clear());

type Created = Answer<CreatedInstance & { code?: string; detail?: { instanceId?: number } }>;

/** What an app has after its user comes back from the vendor. */
async function request(): Promise<Record<string, unknown>> {
  const { oauthUrl } = await lab.app.authorizationUrl("strict");
  const { searchParams } = await lab.app.consent("strict", oauthUrl);
  return {
    element: { key: "strict" },
    providerData: { code: searchParams.get("code"), state: searchParams.get("state") },
  };
}

const create = (body: Record<string, unknown>): Promise<Created> =>
  lab.app.platform("POST", "/instances", body);
const exchanges = (): number => lab.vendors.strict.gate.requests.filter(isCodeExchange).length;
const instances = async (): Promise<number> =>
  (await lab.app.platform<unknown[]>("GET", "/instances?pageSize=2000")).body.length;

describe("a first exchange", () => {
  it("whose grant the table does not accept is stored in the rescue bucket before the caller gets an answer", async () => {
    const body = await request();
    const hold = lab.vendors.strict.gate.hold("after", isCodeExchange);
    const creating = create(body);
    await hold.reached;
    lab.platform.frontDoor.fail({
      service: "dynamodb",
      action: "PutItem",
      principal: "Connections",
      status: 500,
      count: Number.POSITIVE_INFINITY,
    });
    hold.release();
    const made = await creating;
    expect(made.status).toBe(200);
    expect(made.body.token).toMatch(/^lsi_/);
    // Before the table has the instance, nobody can use it; a request with the same code already gets its id.
    lab.platform.frontDoor.clearFaults();
    const again = await create(body);
    expect([again.status, again.body.code, again.body.detail?.instanceId]).toEqual([
      400,
      "code_used",
      made.body.id,
    ]);

    await lab.sweep();
    expect((await lab.me(made.body)).status).toBe(200);
    expect(exchanges()).toBe(1);
  });

  it("whose caller disconnects before our answer: the same code leads to the instance, whose token can be rotated", async () => {
    const body = await request();
    const before = await instances();
    const hold = lab.vendors.strict.gate.hold("after", isCodeExchange);
    const gone = new AbortController();
    const left = fetch(`${lab.platform.baseUrl}/instances`, {
      method: "POST",
      headers: { Authorization: lab.app.platformAuthorization, "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: gone.signal,
    }).catch(() => "gone");
    await hold.reached;
    gone.abort();
    expect(await left).toBe("gone");
    hold.release();
    await lab.platform.settled();

    const again = await create(body);
    expect([again.status, again.body.code]).toEqual([400, "code_used"]);
    const id = again.body.detail?.instanceId;
    const rotated = await lab.app.platform<CreatedInstance>("POST", `/instances/${id}/token`, {});
    expect(rotated.status).toBe(200);
    expect((await lab.me(rotated.body)).status).toBe(200);
    expect([exchanges(), await instances()]).toEqual([1, before + 1]);
  });

  it("with the same code several times at once sends the code once and creates one instance", async () => {
    const body = await request();
    const before = await instances();
    const answers = await Promise.all([create(body), create(body), create(body)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect([exchanges(), await instances()]).toEqual([1, before + 1]);
    const made = answers.find(({ status }) => status === 200)?.body as CreatedInstance;
    expect((await lab.me(made)).status).toBe(200);
  });

  it("whose process dies after the vendor's answer leaves no unfinished instance, and the user can connect again", async () => {
    const body = await request();
    const before = await instances();
    const hold = lab.vendors.strict.gate.hold("after", isCodeExchange);
    const creating = create(body);
    await hold.reached;
    await lab.kill("Connections");
    expect((await creating).status).toBe(502);
    hold.release();

    const again = await create(body);
    expect([again.status, again.body.code]).toEqual([400, "code_used"]);
    expect(again.body.detail?.instanceId).toBeUndefined();
    expect(await instances()).toBe(before);
    expect((await create(await request())).status).toBe(200);
  });
});
