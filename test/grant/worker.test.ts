import { afterEach, describe, expect, test, vi } from "vitest";
import { workOn } from "../../functions/worker/work-on.ts";
import { CalmWorld, granted, HOUR } from "./calm-world.ts";

afterEach(() => vi.restoreAllMocks());

describe("the worker", () => {
  const record = (messageId: string, message: unknown) => ({ messageId, body: JSON.stringify(message) });

  test("settles the messages of a batch side by side, and returns only those that failed", async () => {
    const world = new CalmWorld();
    const long = { obtainedAt: world.now - HOUR, expiresAt: world.now };
    for (const id of [1, 2]) world.put(long, { id, dueAt: world.now });
    world.answer = () => world.deps.sleep(20_000).then(() => granted("new"));
    world.records.set("rescue/9/2", {
      kind: "refresh",
      instanceId: 9,
      organizationId: "org",
      connector: "vendor",
      epoch: "",
      baseVersion: 1,
      fence: 2,
      grant: new TextEncoder().encode("broken"),
      refreshedAt: world.now,
    });
    const start = world.now;
    const answer = await world.finish(
      workOn(
        world.deps,
        [
          record("a", { kind: "refresh", instanceId: 1, cause: "schedule" }),
          record("b", { kind: "refresh", instanceId: 2, cause: "schedule" }),
          record("c", { kind: "rescue", key: "rescue/9/2" }),
          record("d", { kind: "refresh", instanceId: 77, cause: "schedule" }),
          record("e", { hello: "world" }),
          { messageId: "f", body: "not JSON" },
        ],
        () => 300_000,
      ),
    );
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).toSorted()).toEqual([
      "c",
      "e",
      "f",
    ]);
    expect(world.now - start).toBeLessThan(25_000);
    for (const id of [1, 2]) expect(world.stored(id).plain.accessToken).toBe("new");
  });

  test("does not return the message of a refresh that the vendor delayed", async () => {
    const world = new CalmWorld();
    world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now }, { dueAt: world.now });
    world.answer = () => ({ kind: "refused", status: 429, error: "slow_down", retryAfterMs: 60_000 });
    const message = record("a", { kind: "refresh", instanceId: 42, cause: "schedule" });
    const answer = await world.finish(workOn(world.deps, [message], () => 300_000));
    expect(answer.batchItemFailures).toEqual([]);
  });

  test("counts a grant that neither store accepts as lost before it answers, not after", async () => {
    const world = new CalmWorld();
    world.put({ obtainedAt: world.now - HOUR, expiresAt: world.now }, { dueAt: world.now });
    world.answer = () => {
      world.tableFails = true;
      world.bucketFails = true;
      return granted("new");
    };
    const end = world.now + 300_000;
    const message = record("a", { kind: "refresh", instanceId: 42, cause: "schedule" });
    await world.finish(workOn(world.deps, [message], () => end - world.now));
    expect(world.now).toBeLessThan(end);
    expect(world.outcomes.map(({ outcome }) => outcome)).toEqual(["lost"]);
  });

  test("does the work of each kind", async () => {
    const world = new CalmWorld();
    const over = { obtainedAt: world.now - HOUR, expiresAt: world.now };
    world.put(over, { id: 1, dueAt: world.now });
    world.put({ accessToken: "ended" }, { id: 2 });
    await world.deps.instances.markDeleting(2, world.now);
    world.answer = () => granted("new");
    const marked: unknown[] = [];
    const deps = {
      ...world.deps,
      markInstances: async (work: unknown) => {
        marked.push(work);
      },
    };
    const event =
      '{"name":"instance.deleted","id":"d1","at":1,"organizationId":"org","instanceId":3,"connector":"vendor"}';
    const bodies = [
      '{"kind":"refresh","instanceId":1,"cause":"schedule"}',
      '{"kind":"refresh","instanceId":2,"cause":"delete","version":1}',
      '{"kind":"pending","instanceId":4,"sessionId":"cs_1","epoch":"000000000000002-state"}',
      '{"kind":"rescue","key":"rescue/5/2"}',
      '{"kind":"suspension","organizationId":"org","userId":"ann"}',
      `{"kind":"event","event":${event}}`,
    ];
    const seen: string[] = [];
    const { get } = world.deps.pendings;
    deps.pendings = {
      ...deps.pendings,
      get: (key) => {
        seen.push(key.sessionId);
        return get(key);
      },
    };
    const { read } = world.deps.rescue;
    deps.rescue = {
      ...deps.rescue,
      read: (key) => {
        seen.push(key);
        return read(key);
      },
    };
    const messages = bodies.map((body, index) => ({ messageId: String(index), body }));
    const answer = await world.finish(workOn(deps, messages, () => 300_000));
    expect(answer.batchItemFailures).toEqual([]);
    expect(world.stored(1).plain.accessToken).toBe("new");
    expect(world.items.has(2)).toBe(false);
    expect(world.revoked).toEqual(["ended"]);
    expect(seen).toEqual(expect.arrayContaining(["cs_1", "rescue/5/2"]));
    expect(marked).toEqual([{ kind: "suspension", organizationId: "org", userId: "ann" }]);
    expect(world.published).toEqual([JSON.parse(event)]);
  });

  test("logs which kind of work it does not know, and returns the message", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
    const world = new CalmWorld();
    const message = record("a", { kind: "webhook", url: "https://app.example" });
    const answer = await world.finish(workOn(world.deps, [message], () => 300_000));
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: "a" }]);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: "error",
        message: "a message of the work queue was not settled",
        messageId: "a",
        reason: 'UnreadableWork: the message names a kind of work that is unknown here: "webhook"',
      },
    ]);
  });
});
