import { beforeEach, describe, expect, test } from "vitest";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { CalmWorld, granted, HOUR } from "./calm-world.ts";

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
  world.put(
    {
      accessToken: "access-0123456789",
      refreshToken: "refresh-0123456789",
      obtainedAt: world.now - HOUR,
      expiresAt: world.now,
      client: { kind: "own", id: "client", secret: "client-secret-0123456789" },
    },
    { dueAt: world.now },
  );
});

async function refreshed(outcome: TokenOutcome) {
  world.answer = () => outcome;
  await world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));
  return { stored: world.stored(), event: world.announced.at(-1), metric: world.outcomes.at(-1) };
}

const outcomes: [string, TokenOutcome, string, string][] = [
  ["a dead grant", { kind: "invalid_grant", error: "invalid_grant" }, "invalid_grant", "invalid_grant"],
  [
    "a refusal",
    { kind: "refused", status: 400, error: "user_suspended" },
    "vendor_refused_400",
    "user_suspended",
  ],
  [
    "a refused client",
    { kind: "client_refused", status: 401, error: "invalid_client" },
    "client_refused",
    "invalid_client",
  ],
];

describe("a vendor's error at a refresh", () => {
  test.each(outcomes)(
    "is stored in the item, the event and the metric of %s",
    async (_, outcome, code, error) => {
      const told = await refreshed({ ...outcome, description: "Ask an administrator." } as TokenOutcome);
      expect(told.stored.lastError).toBe(code);
      expect(told.stored.lastFailure).toEqual({
        at: expect.any(Number),
        code,
        error,
        description: "Ask an administrator.",
      });
      expect(told.event).toMatchObject({ reason: code, error, errorDescription: "Ask an administrator." });
      expect(told.metric).toMatchObject({ error, errorDescription: "Ask an administrator." });
    },
  );

  test("is shortened, on one line, and without any secret of the grant", async () => {
    const secrets = ["access-0123456789", "refresh-0123456789", "client-secret-0123456789"];
    const told = await refreshed({
      kind: "refused",
      status: 400,
      error: `bad ${secrets[0]} ${"e".repeat(5_000)}`,
      description: `${secrets.join("\r\n\u0000\u001b[31m ")} ${"d".repeat(5_000)}`,
    });
    const { error = "", description = "" } = told.stored.lastFailure ?? {};
    expect([error.length, description.length]).toEqual([100, 500]);
    for (const text of [error, description]) {
      expect(text).toContain("********");
      expect([...text].filter((letter) => letter < " ")).toEqual([]);
    }
    const everything = JSON.stringify([told.stored.lastFailure, told.event, told.metric]);
    for (const secret of secrets) expect(everything).not.toContain(secret);
  });

  test("is not stored when the vendor sent none, because the status is our word", async () => {
    const told = await refreshed({ kind: "refused", status: 403, error: "http_403" });
    expect(told.stored.lastFailure).toEqual({ at: expect.any(Number), code: "vendor_refused_403" });
    expect(told.event).not.toHaveProperty("error");
  });

  test("is removed by the next success", async () => {
    await refreshed({ kind: "refused", status: 400, error: "user_suspended" });
    await world.pass(HOUR);
    const { stored } = await refreshed(granted("new"));
    expect(stored).not.toHaveProperty("lastError");
    expect(stored).not.toHaveProperty("lastFailure");
  });
});
