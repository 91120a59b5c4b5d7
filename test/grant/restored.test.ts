import { beforeEach, describe, expect, test } from "vitest";
import { markRestored } from "../../functions/core/grant/operator/mark-restored.ts";
import { currentAccessToken } from "../../functions/core/grant/refresh/access-token.ts";
import { settleRescueRecord } from "../../functions/core/grant/rescue/rescue-worker.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { CalmWorld, DAY, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const expired = () => ({ obtainedAt: world.now - 2 * HOUR, expiresAt: world.now - HOUR });
const mark = () => markRestored(world.deps, world.stored(), world.now);
const due = () => world.finish(refreshDue(world.deps, { instanceId: 42, cause: "schedule" }, world.call));

describe("an instance that was restored from a backup", () => {
  test("is never sent to a vendor that rotates, neither by the worker nor for a caller", async () => {
    const instance = world.put(expired(), { dueAt: world.now, dueSince: world.now });
    expect(await mark()).toBe("marked");
    const death = { version: 1, at: world.now, reason: "restored" };
    expect(world.stored()).toMatchObject({ deadVersion: 1, lastError: "restored", death });
    expect(world.stored().dueAt).toBe(world.now + 30 * DAY);
    await due();
    const read = await world.read();
    await expect(currentAccessToken(world.deps, read, world.call)).rejects.toMatchObject({
      code: "needs_reauthentication",
    });
    expect(world.sent).toEqual([]);
    expect(instance.version).toBe(world.stored().version);
  });

  test("keeps its tokens as long as any dead grant, and no longer", async () => {
    world.put(expired());
    await mark();
    await world.pass(30 * DAY - HOUR);
    await due();
    expect(world.stored().plain.refreshToken).toBe("r-old");
    await world.pass(2 * HOUR);
    await due();
    expect(world.stored().plain).not.toHaveProperty("refreshToken");
    expect(world.stored().death).toMatchObject({ reason: "restored", emptied: true });
  });

  test("is revived by a newer grant in the rescue bucket", async () => {
    world.put(expired());
    const newer = new TextEncoder().encode(
      JSON.stringify([
        { organizationId: "org", item: "instance/42", field: "grant", version: 2 },
        JSON.stringify(world.grant({ accessToken: "newer" })),
      ]),
    );
    world.records.set("rescue/42/2", {
      kind: "refresh",
      instanceId: 42,
      organizationId: "org",
      connector: "vendor",
      epoch: world.stored().epoch,
      baseVersion: 1,
      fence: 2,
      grant: newer,
      refreshedAt: world.now,
    });
    expect(await mark()).toBe("marked");
    await world.finish(settleRescueRecord(world.deps, "rescue/42/2", world.call));
    expect(world.stored().plain.accessToken).toBe("newer");
    expect(world.stored()).not.toHaveProperty("deadVersion");
  });

  test("is not marked when the vendor does not rotate, or gives no refresh tokens", async () => {
    world.put(expired(), { dueAt: world.now });
    const { refreshToken, ...without } = connector.oauth2;
    for (const oauth2 of [{ ...connector.oauth2, refreshToken: { rotates: false } }, without]) {
      world.connector = { ...connector, oauth2 };
      expect(await mark()).toBe("left");
    }
    expect(world.tableCalls).toEqual([]);
    await due();
    expect(world.sent).toEqual(["r-old"]);
  });

  test("is not marked when it has changed meanwhile, nor twice, nor while it is being deleted", async () => {
    const restored = world.put(expired());
    await world.deps.instances.takeLease(42, restored, world.now + 100_000);
    expect(await markRestored(world.deps, restored, world.now)).toBe("moved");
    expect(world.stored()).not.toHaveProperty("deadVersion");

    expect(await mark()).toBe("marked");
    expect(await mark()).toBe("left");
    world.put(expired(), { deleting: true });
    expect(await mark()).toBe("left");
  });
});
