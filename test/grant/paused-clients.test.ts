import { beforeEach, describe, expect, test } from "vitest";
import { pauseKey } from "../../functions/core/grant/refresh/client-pauses.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import type { Instance, OAuthClient } from "../../functions/core/instances/instance.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, granted, HOUR } from "./calm-world.ts";

const MINUTE = 60_000;
const refused: TokenOutcome = { kind: "client_refused", status: 401, error: "invalid_client" };
const registered: OAuthClient = { kind: "registered", appId: "app-1" };

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

/** An instance whose token has run out, and is due. */
const put = (id: number, client: OAuthClient, changes: Partial<Instance> = {}): Instance =>
  world.put(
    { client, refreshToken: `r-${id}`, obtainedAt: world.now - HOUR, expiresAt: world.now },
    { id, dueAt: world.now, ...changes },
  );
const due = (instanceId: number): Promise<void> =>
  world.finish(refreshDue(world.deps, { instanceId, cause: "schedule" }, world.call));
const outcomeOf = (id: number): string | undefined =>
  world.outcomes.findLast(({ instanceId }) => instanceId === id)?.outcome;

describe("a client that its vendor refuses", () => {
  const own = (secret: string): OAuthClient => ({ kind: "own", id: "client", secret });

  test.each<[string, OAuthClient, OAuthClient, Partial<Instance>]>([
    ["with the same id and another secret", own("stale"), own("fresh"), {}],
    ["that is registered, when an app's own client is refused", own("stale"), registered, {}],
    ["of another organization", registered, registered, { organizationId: "other" }],
    ["of another registration", registered, { kind: "registered", appId: "app-2" }, {}],
  ])("does not pause a client %s", async (_, bad, good, changes) => {
    put(1, bad);
    put(2, good, changes);
    world.answer = (token) => (token === "r-1" ? refused : granted("new"));
    await due(1);
    await due(2);
    expect([outcomeOf(1), outcomeOf(2)]).toEqual(["client_refused", "refreshed"]);
  });

  test.each([registered, own("stale")])("pauses all grants of the same client (%j)", async (client) => {
    for (const id of [1, 2, 3]) put(id, client);
    world.answer = () => refused;
    for (const id of [1, 2, 3]) await due(id);
    expect(world.sent).toEqual(["r-1"]);
  });

  test("stores no secret, and nothing by which a guessed secret could be checked", () => {
    const keys = Array.from({ length: 200 }, (_, n) =>
      pauseKey({ organizationId: "org", connector: "vendor" }, own(`secret ${n}`)),
    );
    for (const key of keys) expect(key).toMatch(/^[\w-]{16}-[0-9a-f]{4}$/);
    expect(new Set(keys.map((key) => key.slice(0, 16))).size).toBe(1);
    expect(new Set(keys).size).toBeGreaterThan(190);
  });
});

describe("a probe", () => {
  const ids = [1, 2, 3];
  const pausedAndOver = async (): Promise<void> => {
    for (const id of ids) put(id, registered);
    world.answer = () => refused;
    await due(1);
    await world.pass(6 * MINUTE);
    world.sent.length = 0;
  };

  test("that shows a dead grant also shows that the client is good, and ends the pause", async () => {
    await pausedAndOver();
    world.answer = (token) =>
      token === "r-2" ? { kind: "invalid_grant", error: "invalid_grant" } : granted("new");
    await due(2);
    await due(3);
    expect([outcomeOf(2), outcomeOf(3)]).toEqual(["needs_reauth", "refreshed"]);
    expect([...world.transientItems.keys()]).toEqual([]);
  });

  test.each<[string, () => void]>([
    ["that was never sent", () => (world.answer = () => ({ kind: "never_sent", reason: "no route" }))],
    ["that got no answer", () => (world.answer = () => ({ kind: "unknown", reason: "reset" }))],
    [
      "whose lease another process took",
      () => {
        const { takeLease } = world.deps.instances;
        world.deps.instances.takeLease = async () => {
          world.deps.instances.takeLease = takeLease;
          return false;
        };
      },
    ],
  ])("%s says nothing about the client, and the next probe need not wait", async (_, arrange) => {
    await pausedAndOver();
    world.answer = () => granted("new");
    arrange();
    await due(2);
    world.answer = () => granted("new");
    await due(3);
    expect(outcomeOf(2)).not.toBe("refreshed");
    expect(outcomeOf(3)).toBe("refreshed");
  });

  test.each<[string, TokenOutcome]>([
    ["is refused as the first one was", refused],
    ["is told to come later", { kind: "refused", status: 429, error: "slow_down" }],
  ])("that %s makes the others wait as long again", async (_, answer) => {
    await pausedAndOver();
    world.answer = () => answer;
    await due(2);
    await due(3);
    await world.pass(4 * MINUTE);
    await due(3);
    expect(world.sent).toEqual(["r-2"]);
  });
});
