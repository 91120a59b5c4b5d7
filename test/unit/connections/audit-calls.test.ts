import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { auditCalls } from "../../../functions/connections/audit-calls.ts";
import type { AuditEvent } from "../../../functions/core/audit.ts";
import { NotFound } from "../../../functions/core/errors.ts";
import type { MiddyRequest } from "../../../functions/http/middleware/call.ts";
import type { HttpHandler, HttpRequest } from "../../../functions/http/request.ts";
import { request } from "./a-request.ts";

let events: AuditEvent[];
let fails: boolean;
let logged: string[];

const deps = () => ({
  audit: {
    async record(event: AuditEvent) {
      if (fails) throw new Error("QueueDoesNotExist");
      events.push(event);
    },
  },
});

beforeEach(() => {
  events = [];
  fails = false;
  logged = [];
  vi.spyOn(console, "error").mockImplementation((line) => void logged.push(String(line)));
});
afterEach(() => {
  vi.restoreAllMocks();
});

const from = (authorization?: string): HttpRequest => request({ authorization });
const known = { organizationId: "org", userId: "user", instanceId: 42, connector: "dropbox" };
/** A call with the audit middleware around its handler. */
const audited = (of: typeof deps, audit: string, handle: HttpHandler) => async (request: HttpRequest) => {
  const { after, onError } = auditCalls(of);
  const middy = { event: { request, route: { audit } } } as unknown as MiddyRequest;
  try {
    const response = await handle(request);
    await after?.(middy);
    return response;
  } catch (error) {
    await onError?.({ ...middy, error });
    throw error;
  }
};
const learns =
  (facts: Partial<HttpRequest["logContext"]>): HttpHandler =>
  async (request) => {
    Object.assign(request.logContext, facts);
    return { status: 200 };
  };

describe("an audited call", () => {
  it("records who, what, from which address and with which result, before the answer", async () => {
    const asked = from("Bearer lsu_secret");
    const answered = audited(deps, "instance.delete", learns(known))(asked).then(() => events.length);
    expect(await answered).toBe(1);
    expect(events).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        action: "instance.delete",
        outcome: "done",
        by: "user",
        requestId: asked.requestId,
        sourceIp: asked.sourceIp,
        ...known,
      },
    ]);
  });

  it("that is refused records the error's code, and is still refused", async () => {
    const refused = audited(deps, "instance.delete", async (request) => {
      Object.assign(request.logContext, known);
      throw new NotFound("gone", "unknown_instance");
    });
    await expect(refused(from("Bearer lsu_secret"))).rejects.toMatchObject({ status: 404 });
    expect(events).toMatchObject([{ action: "instance.delete", outcome: "unknown_instance" }]);
  });

  it("gets the action, result and changes that its handler reports", async () => {
    const handle = learns({ ...known, action: "instance.sign_in", code: "access_denied", changed: ["name"] });
    await audited(deps, "instance.change", handle)(from());
    expect(events).toMatchObject([
      { action: "instance.sign_in", outcome: "access_denied", by: "browser", changed: ["name"] },
    ]);
  });

  it("of an unknown caller records nothing, because anybody could fill the trail", async () => {
    const unknown = audited(deps, "instance.delete", async () => {
      throw new NotFound("no");
    });
    await expect(unknown(from("Bearer lsu_guess"))).rejects.toThrow();
    expect(events).toEqual([]);
  });

  it("is answered when the trail is down, and its event is in the function's log", async () => {
    fails = true;
    expect(await audited(deps, "instance.delete", learns(known))(from("Bearer lsu_secret"))).toEqual({
      status: 200,
    });
    expect(logged).toHaveLength(1);
    expect(JSON.parse(logged[0] ?? "")).toMatchObject({
      level: "error",
      audit: { action: "instance.delete", instanceId: 42 },
    });
    expect(logged.join()).not.toContain("lsu_secret");
  });
});
