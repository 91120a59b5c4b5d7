import { beforeEach, describe, expect, it } from "vitest";
import type { ConnectSession } from "../../../functions/connections/connect-session.ts";
import type { ConnectionDeps } from "../../../functions/connections/deps.ts";
import { connectionRoutes } from "../../../functions/connections/routes.ts";
import { hashSecret } from "../../../functions/core/secret-hash.ts";
import { perform } from "../http/perform.ts";
import { request } from "./a-request.ts";

const sessionId = `cs_${"s".repeat(32)}`;
let session: ConnectSession;
beforeEach(() => {
  session = {
    id: `session#${sessionId}`,
    expiresAt: Number.MAX_SAFE_INTEGER,
    status: "connected",
    sessionId,
    organizationId: "org",
    userId: "ann",
    connectors: ["dropbox"],
    returnUrl: "https://app.example/",
    endUser: hashSecret("user-1"),
    configuration: {},
    reauthenticates: false,
    pending: { instanceId: 42, epoch: "e", claim: hashSecret("the claim") },
  };
});

const reading = { dateMs: 0, monotonicMs: 0 };
const nobody = async () => ({ value: undefined, reading });
const deps = {
  tenants: {
    organization: async (id: string) => ({ id, status: "active", origins: [], suspendedUsers: [] }),
    user: async (organizationId: string, id: string) => ({ id, organizationId, status: "active" }),
    bySecret: async (secret: string) => ({ organizationId: "org", userId: secret.replace("lsu_", "") }),
  },
  transients: {
    get: async () => session,
    replace: async (item: ConnectSession) => {
      session = item;
      return true;
    },
  },
  grants: {
    pendings: { get: nobody },
    instances: { get: nobody },
    rescue: { read: async () => undefined },
    monotonic: () => 0,
  },
} as unknown as ConnectionDeps;

const claim = (body: object, secret = "lsu_ann") =>
  perform(
    connectionRoutes(() => deps),
    request(
      { authorization: `Bearer ${secret}` },
      {
        method: "POST",
        path: `/connect/sessions/${sessionId}/claim`,
        body: Buffer.from(JSON.stringify(body)),
      },
    ),
  );

describe("a claim", () => {
  it("by another end user than the one who began is refused, and ends the session", async () => {
    await expect(claim({ claim: "the claim", endUser: "user-2" })).rejects.toMatchObject({
      status: 403,
      code: "end_user_mismatch",
    });
    expect(session.status).toBe("refused");
  });

  it("with a wrong value is refused, and the session stays open", async () => {
    await expect(claim({ claim: "another", endUser: "user-1" })).rejects.toMatchObject({
      status: 400,
      code: "invalid_claim",
    });
    expect(session.status).toBe("connected");
  });

  it("of another user's session is 404", async () => {
    // Also with another end user's name, which would end the session for its owner.
    for (const endUser of ["user-1", "user-2"])
      await expect(claim({ claim: "the claim", endUser }, "lsu_bob")).rejects.toMatchObject({
        status: 404,
        code: "unknown_session",
      });
    expect(session.status).toBe("connected");
  });
});
