import { describe, expect, it } from "vitest";
import type { Fixture } from "./fixture.ts";

export function describeAccount(on: Fixture): void {
  const { connector } = on;

  describe("the account", () => {
    it("ping answers, and every answer names the instance in a header", async () => {
      const { status, json, headers } = await on.hub.call("GET", "/hubs/documents/ping");
      expect(status).toBe(200);
      expect(json).toEqual({
        endpoint: connector,
        valid: true,
        dateTime: expect.stringMatching(/^\d{4}-.*Z$/),
      });
      expect(headers.get("Elements-Element-Instance-Id")).toBe(String(on.instanceId));
    });

    it("shows its storage in bytes", async () => {
      await on.hub.upload(`${on.home}/a.txt`, "12345");
      const { total, used, shared } = await on.hub.ok<{ total: number; used: number; shared: number }>(
        "GET",
        "/storage",
      );
      expect(used).toBeGreaterThanOrEqual(5);
      expect(total).toBeGreaterThan(used);
      expect(shared).toEqual(expect.any(Number));
    });

    it("shows the id and the email address of the user", async () => {
      expect(await on.hub.ok("GET", "/hubs/documents/me")).toMatchObject({
        id: expect.any(String),
        email: on.email,
      });
    });
  });

  describe("the catalogue", () => {
    it("lists in advance the calls that answer 501, and only those answer 501", {
      timeout: 60_000,
    }, async () => {
      const told = await on.hub.ok<{ supportedMethods: string[]; unsupportedMethods: string[] }>(
        "GET",
        `/elements/${connector}/metadata`,
      );
      expect(told.supportedMethods).toContain("GET /folders/contents");
      expect(told.unsupportedMethods).toContain("GET /changes");
      const statusOf = async (call: string) => {
        const [method = "", path = ""] = call.split(" ");
        return (await on.hub.call(method, `/hubs/documents${path.replaceAll(/\{\w+\}/g, "none")}`)).status;
      };
      for (const call of told.unsupportedMethods) expect([call, await statusOf(call)]).toEqual([call, 501]);
      for (const call of told.supportedMethods) expect([call, await statusOf(call)]).not.toEqual([call, 501]);
    });
  });
}
