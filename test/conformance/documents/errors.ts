import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { HubClient } from "../hub-client.ts";
import { type Fixture, LOGIN } from "./fixture.ts";

export function describeErrors(on: Fixture): void {
  const { connector, refusal } = on;

  describe("errors", () => {
    it("for an unknown path are 404, for a wrong method 405, for a call that the connector does not support 501", async () => {
      expect(await refusal("GET", "/hubs/documents/nothing")).toMatchObject({
        status: 404,
        code: "unknown_path",
      });
      const wrong = await refusal("PUT", "/hubs/documents/files/metadata");
      expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, PATCH"]);
      const later = await refusal("GET", "/hubs/documents/changes");
      expect(later).toMatchObject({
        status: 501,
        code: "not_supported",
        detail: { call: "GET /changes", connector },
      });
    });

    it("for an invalid request are 400 and name the field; without valid credentials they are 401", async () => {
      expect(await refusal("GET", "/files/metadata")).toMatchObject({ status: 400, field: "path" });
      expect(await refusal("GET", "/files/metadata", { query: { path: "a.txt" } })).toMatchObject({
        status: 400,
        field: "path",
      });
      const notJson = { query: { path: "/a" }, body: "{", headers: { "Content-Type": "application/json" } };
      expect(await refusal("PATCH", "/files/metadata", notJson)).toMatchObject({
        status: 400,
        field: "body",
      });
      const nobody = new HubClient(on.platform.baseUrl);
      expect((await nobody.call("GET", "/hubs/documents/ping")).status).toBe(401);
      expect((await new HubClient(on.platform.baseUrl, "lsi_1.nonsense").call("GET", "/ping")).status).toBe(
        401,
      );
    });

    it.each([
      ["503", { status: 503 }, 502, "vendor_error"],
      [
        "500 as HTML",
        { status: 500, body: "<html>oops</html>", contentType: "text/html" },
        502,
        "vendor_error",
      ],
      ["429", { status: 429, headers: { "Retry-After": "17" } }, 429, "rate_limited"],
      [
        "200 as HTML",
        { status: 200, body: "<html>hello</html>", contentType: "text/html" },
        502,
        "vendor_bad_answer",
      ],
      [
        "200 with nothing",
        { status: 200, body: "", contentType: "application/json" },
        502,
        "vendor_bad_answer",
      ],
      [
        "200 with half of it",
        { status: 200, body: '{"a":', contentType: "application/json" },
        502,
        "vendor_bad_answer",
      ],
      [
        "200 of another type",
        { status: 200, body: "{}", contentType: "image/png" },
        502,
        "vendor_bad_answer",
      ],
      [
        "200 without end",
        { status: 200, body: `"${"x".repeat(11_000_000)}"`, contentType: "application/json" },
        502,
        "vendor_bad_answer",
      ],
      [
        "404 as HTML",
        { status: 404, body: "<html>hello</html>", contentType: "text/html" },
        502,
        "vendor_bad_answer",
      ],
      ["a broken connection", { reset: "before" }, 502, "vendor_unreachable"],
    ] as const)("for a vendor's bad answer have their own code: %s", async (_, fault, status, code) => {
      on.vendor.fail({ endpoint: "api", count: 10, ...fault });
      const answer = await refusal("GET", "/storage");
      expect(answer).toMatchObject({ status, code });
      if (status === 429) expect(answer.headers.get("retry-after")).toBe("17");
    });

    // The hub's own timeout of 20 s ends this call, so one vendor is enough.
    if (on.traits.slowTests)
      it("for a vendor that does not answer are 504 before the caller gives up", {
        timeout: 60_000,
      }, async () => {
        on.vendor.fail({ endpoint: "api", count: 3, reset: "never" });
        const startedAt = performance.now();
        expect(await refusal("GET", "/storage")).toMatchObject({ status: 504, code: "vendor_timeout" });
        expect(performance.now() - startedAt).toBeLessThan(28_000);
      });

    it("for an ended token do not reach the caller: the hub refreshes the token and sends the same bytes again", async () => {
      const bytes = randomBytes(50_000);
      on.platform.clock.advance(2 * 60_000);
      on.vendor.expireAccessTokens(LOGIN);
      const path = `${on.home}/a.bin`;
      await on.hub.ok("POST", "/files", { query: { path }, body: bytes });
      expect((await on.hub.bytes(path)).equals(bytes)).toBe(true);
      on.vendor.fail({ endpoint: "api", count: 5, status: 401 });
      expect(await refusal("GET", "/storage")).toMatchObject({ status: 401, code: "vendor_unauthorized" });
    });

    it("repeat the vendor's words without the token in them", async () => {
      on.vendor.fail({
        endpoint: "api",
        count: 3,
        status: 400,
        body: "bad token: Bearer sl.u.abcdefghijkl, access_token=ya29.abcdefghijklm",
        contentType: "text/plain",
      });
      const { detail, status } = await refusal("GET", "/storage");
      expect(status).toBe(400);
      expect(JSON.stringify(detail)).toContain("bad token");
      expect(JSON.stringify(detail)).not.toMatch(/abcdefghijkl/);
    });
  });
}
