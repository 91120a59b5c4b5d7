import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hooksOf } from "../../../functions/connectors/catalogue.ts";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import googledrive from "../../../functions/connectors/vendors/googledrive.ts";
import { callAccount } from "../../../functions/core/oauth/account-call.ts";
import type { TokenOutcome } from "../../../functions/core/oauth/ports.ts";
import { tokenEndpoint } from "../../../functions/core/oauth/token-endpoint.ts";
import { readJson } from "../../../functions/core/vendor-answer/read-answer.ts";
import { answer, answering, type Wrapping, wrapped, wrappings } from "./wrappings.ts";

const client = { id: "client-id", secret: "client-secret" };
const grant = {
  accessToken: "access",
  refreshToken: "refresh",
  tokenType: "bearer",
  obtainedAt: 0,
  obtainedBy: "exchange",
  client: { kind: "registered", appId: "app" },
} as const;

function refreshed(http: Parameters<typeof tokenEndpoint>[0]): Promise<TokenOutcome> {
  return tokenEndpoint(http, hooksOf).refresh(dropbox, client, {
    refreshToken: "old-refresh-token",
    values: {},
    timeoutMs: 5_000,
    beforeSend: () => {},
  });
}

/** Members of types that RFC 6749 does not define for them. None may lose the grant. */
const badMembers = fc.dictionary(
  fc.constantFrom("id_token", "scope", "token_type", "user", "error", "granted_at", "__proto__"),
  fc.constantFrom<unknown>(null, "", true, false, 0, 17, [], ["a", 1], {}, { a: { b: 1 } }),
);
/** Invalid refresh tokens, after which the old one must stay. */
const noRefreshToken = fc.constantFrom<unknown>(
  undefined,
  null,
  "",
  " ",
  false,
  true,
  0,
  1,
  12_345,
  [],
  ["r"],
  {},
);

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019-._~+/="), minLength: 1, maxLength: 60 });

describe("a good token answer", () => {
  it("gives the same grant however it is wrapped, and whatever other members it has", async () => {
    await fc.assert(
      fc.asyncProperty(
        wrappings,
        token,
        badMembers,
        noRefreshToken,
        async (wrapping, access, members, none) => {
          const body = { ...members, access_token: access, refresh_token: none, expires_in: "3600" };
          const outcome = await refreshed(answering(() => wrapped(200, JSON.stringify(body), wrapping)));
          expect(outcome).toMatchObject({
            kind: "granted",
            response: { accessToken: access, expiresInMs: 3_600_000 },
          });
          expect(outcome).not.toHaveProperty("response.refreshToken");
        },
      ),
      { numRuns: 400 },
    );
  });

  it("keeps its refresh token however it is wrapped, also as a form", async () => {
    await fc.assert(
      fc.asyncProperty(wrappings, token, token, fc.boolean(), async (wrapping, access, refresh, isForm) => {
        const body = { access_token: access, refresh_token: refresh, expires_in: "60" };
        const text = isForm ? new URLSearchParams(body).toString() : JSON.stringify(body);
        expect(await refreshed(answering(() => wrapped(200, text, wrapping)))).toMatchObject({
          kind: "granted",
          response: { accessToken: access, refreshToken: refresh, expiresInMs: 60_000 },
        });
      }),
      { numRuns: 400 },
    );
  });

  it("counts when the connection breaks after its last brace, and never before", async () => {
    const text = JSON.stringify({ access_token: "a", refresh_token: "r", nested: { deep: [1, "}"] } });
    for (let length = 0; length <= text.length; length++) {
      const cut = () => answer(200, [Buffer.from(text.slice(0, length))], {}, true);
      expect((await refreshed(answering(cut))).kind, text.slice(0, length)).toBe(
        length === text.length ? "granted" : "unknown",
      );
    }
  });

  it("counts when it is compressed and breaks after its last brace, and never before", async () => {
    await fc.assert(
      fc.asyncProperty(wrappings, fc.nat(), async (wrapping, at) => {
        const body = { access_token: "a", refresh_token: "r", padding: "x".repeat(200) };
        const whole: Buffer[] = [];
        const { headers, body: stream } = wrapped(200, JSON.stringify(body), wrapping);
        for await (const piece of stream) whole.push(piece as Buffer);
        const bytes = Buffer.concat(whole);
        const cut = () => answer(200, [bytes.subarray(0, at % (bytes.length + 1))], headers, true);
        const outcome = await refreshed(answering(cut));
        if (outcome.kind === "granted") {
          expect(outcome.response).toMatchObject({ accessToken: "a", refreshToken: "r" });
          expect(outcome.response.extra).toMatchObject({ padding: body.padding });
        } else expect(outcome.kind).toBe("unknown");
      }),
      { numRuns: 300 },
    );
  });
});

describe("a form that is cut off", () => {
  it("is never read as a grant, wherever it ends", async () => {
    const form = new URLSearchParams({
      access_token: "secret-token",
      refresh_token: "r",
      expires_in: "60",
    }).toString();
    await fc.assert(
      fc.asyncProperty(wrappings, fc.nat({ max: form.length }), async (wrapping, length) => {
        const whole = wrapped(200, form.slice(0, length), wrapping);
        const pieces: Buffer[] = [];
        for await (const piece of whole.body) pieces.push(piece as Buffer);
        const cut = () => answer(200, pieces, whole.headers, true);
        expect((await refreshed(answering(cut))).kind).toBe("unknown");
      }),
      { numRuns: 300 },
    );
  });
});

describe("a refusal", () => {
  it.each([
    [400, { error: "invalid_grant", error_description: "gone" }, "invalid_grant"],
    [401, { errors: [{ errorType: "invalid_grant", message: "gone" }], success: false }, "invalid_grant"],
    [400, { error: { code: "INVALID_GRANT", message: "gone" } }, "invalid_grant"],
    [401, { error: "invalid_client" }, "client_refused"],
  ])("%i %j is read the same however it is wrapped", async (status, body, kind) => {
    await fc.assert(
      fc.asyncProperty(wrappings, async (wrapping: Wrapping) => {
        const outcome = await refreshed(answering(() => wrapped(status, JSON.stringify(body), wrapping)));
        expect(outcome.kind).toBe(kind);
        if (kind === "invalid_grant") expect(outcome).toMatchObject({ description: "gone" });
      }),
      { numRuns: 100 },
    );
  });

  it("is read the same as a form", async () => {
    await fc.assert(
      fc.asyncProperty(wrappings, async (wrapping) => {
        const text = "error=invalid_grant&error_description=it+is+gone";
        expect(await refreshed(answering(() => wrapped(400, text, wrapping)))).toEqual({
          kind: "invalid_grant",
          error: "invalid_grant",
          description: "it is gone",
        });
      }),
      { numRuns: 100 },
    );
  });

  it("of a revocation that says that the token is dead counts as success, however it is wrapped", async () => {
    await fc.assert(
      fc.asyncProperty(wrappings, fc.constantFrom(googledrive, dropbox), async (wrapping, connector) => {
        const { revoke } = tokenEndpoint(
          answering(() => wrapped(400, JSON.stringify({ error: "invalid_token" }), wrapping)),
          hooksOf,
        );
        expect(await revoke(connector, client, { ...grant, refreshToken: grant.accessToken })).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe("an account's answer", () => {
  it("is read however it is wrapped", async () => {
    await fc.assert(
      fc.asyncProperty(wrappings, async (wrapping) => {
        const text = JSON.stringify({ account_id: "dbid:1", name: { display_name: "Zoë" }, email: 17 });
        const account = await callAccount(
          answering(() => wrapped(200, text, wrapping)),
          dropbox,
          {},
          "token",
        );
        expect(account).toEqual({ kind: "told", account: { id: "dbid:1", name: "Zoë", email: "17" } });
        expect(await readJson(wrapped(200, text, wrapping), 10_000)).toMatchObject({ account_id: "dbid:1" });
      }),
      { numRuns: 100 },
    );
  });
});
