import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Connector } from "../../../functions/connectors/define-connector.ts";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import type { GrantDeps } from "../../../functions/core/grant/grant-deps.ts";
import { sealGrant } from "../../../functions/core/grant/store/sealed-grant.ts";
import { timing } from "../../../functions/core/grant/timing.ts";
import type { Instance } from "../../../functions/core/instances/instance.ts";
import type { VendorRequest, VendorResponse } from "../../../functions/core/vendor-http.ts";
import { type SessionRequest, vendorSession } from "../../../functions/core/vendor-session.ts";
import { testVault } from "./test-vault.ts";

const vault = testVault();

async function instanceWith(accessToken: string, version: number, obtainedAt = 0): Promise<Instance> {
  const place = { id: 7, organizationId: "org" };
  const grant = await sealGrant(vault, place, version, {
    accessToken,
    tokenType: "Bearer",
    obtainedAt,
    obtainedBy: "refresh",
    client: { kind: "own", id: "app", secret: "s" },
  });
  return {
    ...place,
    userId: "u",
    connector: "dropbox",
    name: "n",
    tags: [],
    createdAt: 0,
    updatedAt: 0,
    configuration: {},
    secretConfigurationKeys: [],
    tokenHashes: [],
    fence: version,
    version,
    epoch: "e",
    grant,
    enabled: true,
    refreshGroup: "g",
    lastUsedAt: Number.MAX_SAFE_INTEGER,
  };
}

/** A vendor that knows one token, and a store that has the newer token `stored`. */
async function world(options: {
  read: string;
  stored: [token: string, version: number];
  good: string;
  /** Age of the stored token. */
  ageMs?: number;
  /** The number of the first request at which the vendor knows the good token. */
  from?: number;
  /** How long each of the vendor's answers takes. */
  takesMs?: number;
  connector?: Connector;
}) {
  const sent: VendorRequest[] = [];
  const sentAt: number[] = [];
  let now = 0;
  let reads = 0;
  const reading = { dateMs: 1_000_000, monotonicMs: 0 };
  const obtainedAt = options.ageMs === undefined ? 0 : reading.dateMs - options.ageMs;
  const readAt = options.read === options.stored[0] ? obtainedAt : 0;
  const stored = await instanceWith(...options.stored, obtainedAt);
  const grants = {
    vault,
    timing,
    monotonic: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
    random: () => 0,
    connectors: () => dropbox,
    instances: {
      get: async () => {
        reads++;
        return { value: stored, reading };
      },
    },
  } as unknown as GrantDeps;
  const session = vendorSession({
    grants,
    connector: options.connector ?? dropbox,
    read: { instance: await instanceWith(options.read, 1, readAt), reading },
    call: { remainingMs: () => 60_000, afterAnswer: () => {} },
    http: {
      async send(request): Promise<VendorResponse> {
        sent.push(request);
        sentAt.push(now);
        now += options.takesMs ?? 0;
        const authorization = request.headers.find(([name]) => name === "Authorization")?.[1];
        const isKnown = sent.length >= (options.from ?? 0);
        const status = authorization === `Bearer ${options.good}` && isKnown ? 200 : 401;
        return { status, headers: {}, rawHeaders: [], body: Readable.from([]), url: request.url };
      },
    },
  });
  return { session, sent, sentAt, reads: () => reads };
}

const upload: SessionRequest = {
  method: "POST",
  url: "https://content.dropboxapi.com/2/files/upload",
  headers: [
    ["X-First", "1"],
    ["authorization", "Bearer of the caller"],
  ],
  body: Buffer.from([0, 1, 255]),
  timeoutMs: 1000,
};

describe("a session with a vendor", () => {
  it("sends no credential, and no header in its place, with a call that takes none; another path never counts as that call", async () => {
    const { session, sent } = await world({ read: "token", stored: ["token", 1], good: "token" });
    const url = "https://notify.dropboxapi.com/2/files/list_folder/longpoll";
    // The stubbed vendor answers 401 to a call without a token; nothing is replayed.
    expect((await session.send({ ...upload, url })).status).toBe(401);
    expect(sent.map(({ headers }) => headers)).toEqual([[["X-First", "1"]]]);
    expect(sent[0]?.allowedHosts).toContain("notify.dropboxapi.com");
    for (const other of [
      `${url}/x`,
      url.replace("/2/", "/3/"),
      "https://api.dropboxapi.com/2/files/list_folder",
    ]) {
      sent.length = 0;
      expect((await session.send({ ...upload, url: other })).status).toBe(200);
      expect(sent[0]?.headers).toContainEqual(["Authorization", "Bearer token"]);
    }
  });

  it("puts the token where the connector says, in place of the caller's credential, and lists the allowed hosts", async () => {
    const { session, sent } = await world({ read: "old-token", stored: ["old-token", 1], good: "old-token" });
    expect((await session.send(upload)).status).toBe(200);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.headers).toEqual([
      ["Authorization", "Bearer old-token"],
      ["X-First", "1"],
    ]);
    expect(sent[0]?.allowedHosts).toContain("content.dropboxapi.com");
    expect(sent[0]?.allowedHosts).not.toContain("*.dropboxusercontent.com");
    expect(session.secrets()).toEqual(["old-token"]);
  });

  it("repeats a refused request once, byte for byte, with the newer token of the store", async () => {
    const { session, sent } = await world({ read: "old-token", stored: ["new-token", 2], good: "new-token" });
    expect((await session.send(upload)).status).toBe(200);
    const [first, second] = sent;
    expect(sent).toHaveLength(2);
    expect({ ...second, headers: second?.headers.slice(1) }).toEqual({
      ...first,
      headers: first?.headers.slice(1),
    });
    expect(second?.headers[0]).toEqual(["Authorization", "Bearer new-token"]);
    expect((await session.send(upload)).status).toBe(200);
    expect(sent).toHaveLength(3);
  });

  it("answers the vendor's 401 when there is no other token, and never repeats a request twice", async () => {
    const none = await world({ read: "old-token", stored: ["old-token", 1], good: "nobody's" });
    expect((await none.session.send(upload)).status).toBe(401);
    expect(none.sent).toHaveLength(1);
    const another = await world({ read: "old-token", stored: ["new-token", 2], good: "nobody's" });
    expect((await another.session.send(upload)).status).toBe(401);
    expect(another.sent).toHaveLength(2);
  });

  const renewed = { read: "old-token", stored: ["new-token", 2] as [string, number], good: "new-token" };

  it("tries a token again after a short wait when it was refreshed seconds ago", async () => {
    const { session, sent, sentAt } = await world({ ...renewed, ageMs: 2_000, from: 3 });
    expect((await session.send(upload)).status).toBe(200);
    expect(sentAt).toEqual([0, 0, timing.freshTokenWaitMs]);
    expect(sent[2]).toEqual(sent[1]);
    const never = await world({ ...renewed, ageMs: 2_000, good: "nobody's" });
    expect((await never.session.send(upload)).status).toBe(401);
    expect(never.sent).toHaveLength(3);
  });

  it("also does so when the only token is the new one", async () => {
    const { session, sentAt } = await world({
      read: "new-token",
      stored: ["new-token", 1],
      good: "new-token",
      ageMs: 2_000,
      from: 2,
    });
    expect((await session.send(upload)).status).toBe(200);
    expect(sentAt).toEqual([0, timing.freshTokenWaitMs]);
  });

  it("does not wait for an older token, and not beyond the time that a caller waits", async () => {
    const old = await world({ ...renewed, ageMs: timing.freshTokenMs, from: 3 });
    expect((await old.session.send(upload)).status).toBe(401);
    expect(old.sent).toHaveLength(2);
    const slow = await world({ ...renewed, ageMs: 2_000, from: 3, takesMs: 3_500 });
    expect((await slow.session.send(upload)).status).toBe(401);
    expect(slow.sent).toHaveLength(2);
  });

  it("removes the line break at the end of a stored token", async () => {
    const { session, sent } = await world({ read: "token\r\n", stored: ["token\r\n", 1], good: "token" });
    expect((await session.send(upload)).status).toBe(200);
    expect(sent).toHaveLength(1);
    expect(session.secrets()).toEqual(["token"]);
  });

  it("asks for another token when no header can carry the stored one, or answers an error", async () => {
    const healed = await world({ read: "line\nbreak", stored: ["token", 2], good: "token" });
    expect((await healed.session.send(upload)).status).toBe(200);
    expect((await healed.session.send(upload)).status).toBe(200);
    expect(healed.sent).toHaveLength(2);
    const left = await world({ read: "line\nbreak", stored: ["line\nbreak", 1], good: "token" });
    await expect(left.session.send(upload)).rejects.toMatchObject({
      status: 502,
      code: "unusable_access_token",
    });
    expect(left.sent).toEqual([]);
  });

  it("asks for a newer token once for requests that are refused at the same time", async () => {
    const { session, sent, reads } = await world({
      read: "old-token",
      stored: ["new-token", 2],
      good: "new-token",
    });
    const answers = await Promise.all(Array.from({ length: 8 }, () => session.send(upload)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(sent).toHaveLength(16);
    expect(reads()).toBe(1);
  });

  it("sends a presigned URL without the token, only to the hosts declared for it, and as it is answered", async () => {
    const presignedHosts = ["*.sessions.example"];
    const connector = { ...dropbox, api: { ...dropbox.api, presignedHosts } };
    const { session, sent, reads } = await world({ read: "t", stored: ["t", 1], good: "t", connector });
    const url = "https://a.sessions.example/up?sig=1";
    const { status } = await session.send({ ...upload, headers: [], url, presigned: true });
    expect([status, sent.length, reads()]).toEqual([401, 1, 0]);
    expect([sent[0]?.headers, sent[0]?.allowedHosts, sent[0]?.url]).toEqual([[], presignedHosts, url]);
    const none = await world({ read: "t", stored: ["t", 1], good: "t" });
    await none.session.send({ ...upload, headers: [], url, presigned: true });
    expect(none.sent[0]?.allowedHosts).toEqual([]);
  });
});
