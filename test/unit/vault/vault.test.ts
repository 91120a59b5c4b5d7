import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Organization } from "../../../functions/core/tenants/ports.ts";
import type { KeyUnwrapper, SealedPlace } from "../../../functions/core/vault/ports.ts";
import { createVault, SealBroken } from "../../../functions/core/vault/vault.ts";

/** A key service that "unwraps" by a look-up, because these tests are of the vault, not of KMS. */
function setUp() {
  const plaintexts = new Map<string, Buffer>();
  const organizations = new Map<string, Organization>();
  const state = { now: 1_000_000, unwraps: 0, failing: false };
  const addKey = (organizationId: string, keyId: string): void => {
    const wrapped = randomBytes(16);
    plaintexts.set(`${organizationId}/${wrapped.toString("hex")}`, randomBytes(32));
    const before = organizations.get(organizationId);
    organizations.set(organizationId, {
      id: organizationId,
      name: organizationId,
      status: "active",
      returnUrls: [],
      origins: [],
      createdAt: 0,
      ...before,
      dataKeys: [...(before?.dataKeys ?? []), { id: keyId, wrapped }],
    });
  };
  const keys: KeyUnwrapper = {
    async unwrap(organizationId, wrapped) {
      state.unwraps += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (state.failing) throw new Error("KMS is down");
      const plaintext = plaintexts.get(`${organizationId}/${Buffer.from(wrapped).toString("hex")}`);
      if (plaintext === undefined) throw new Error("InvalidCiphertextException");
      return Uint8Array.from(plaintext);
    },
  };
  const vault = createVault({
    keys,
    organization: async (id) => organizations.get(id),
    now: () => state.now,
  });
  addKey("one", "k1");
  addKey("two", "k1");
  return { vault, state, keys, organizations, addKey };
}

const place = (change: Partial<SealedPlace> = {}): SealedPlace => ({
  organizationId: "one",
  item: "instance/42",
  field: "grant",
  version: 7,
  ...change,
});

const places = fc.record({
  organizationId: fc.constantFrom("one", "two"),
  item: fc.string({ maxLength: 20 }),
  field: fc.string({ maxLength: 20 }),
  version: fc.oneof(fc.nat(), fc.string({ maxLength: 5 }), fc.constant(undefined)),
});

const asPlace = (
  value: { version: number | string | undefined } & Omit<SealedPlace, "version">,
): SealedPlace => {
  const { version, ...rest } = value;
  return version === undefined ? rest : { ...rest, version };
};

describe("the vault", () => {
  it("opens every secret that it sealed, whatever the text and the place", async () => {
    const { vault } = setUp();
    await fc.assert(
      fc.asyncProperty(places, fc.string({ unit: "grapheme", maxLength: 300 }), async (where, text) => {
        const sealed = await vault.seal(asPlace(where), text);
        expect(await vault.open(asPlace(where), sealed)).toBe(text);
      }),
    );
  });

  it("does not open a secret at another place", async () => {
    const { vault } = setUp();
    await fc.assert(
      fc.asyncProperty(places, places, async (here, there) => {
        const same = (["organizationId", "item", "field"] as const).every(
          (name) => here[name] === there[name],
        );
        fc.pre(!same || String(here.version ?? "") !== String(there.version ?? ""));
        const sealed = await vault.seal(asPlace(here), "secret");
        await expect(vault.open(asPlace(there), sealed)).rejects.toThrow(SealBroken);
      }),
    );
  });

  it.each(["organizationId", "item", "field", "version"] as const)(
    "does not open a secret at a place that differs only in its %s",
    async (part) => {
      const { vault } = setUp();
      await fc.assert(
        fc.asyncProperty(places, places, async (here, there) => {
          fc.pre(String(here[part] ?? "") !== String(there[part] ?? ""));
          const sealed = await vault.seal(asPlace(here), "secret");
          const elsewhere = asPlace({ ...here, [part]: there[part] });
          await expect(vault.open(elsewhere, sealed)).rejects.toThrow(SealBroken);
        }),
      );
    },
  );

  it("does not open a secret whose item and field have the same letters, split at another letter", async () => {
    const { vault } = setUp();
    const sealed = await vault.seal(place({ item: "ab", field: "c" }), "secret");
    await expect(vault.open(place({ item: "a", field: "bc" }), sealed)).rejects.toThrow(SealBroken);
  });

  it.each([
    ["organization", { organizationId: "two" }],
    ["item", { item: "instance/43" }],
    ["field", { field: "configuration" }],
    ["version", { version: 8 }],
  ])("does not open a secret moved to another %s", async (_, change) => {
    const { vault } = setUp();
    const sealed = await vault.seal(place(), "secret");
    await expect(vault.open(place(change), sealed)).rejects.toThrow(SealBroken);
  });

  it("detects a change of any bit", async () => {
    const { vault } = setUp();
    const sealed = await vault.seal(place(), "a refresh token");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(vault.open(place(), changed)).rejects.toThrow(SealBroken);
    }
  });

  it("detects a ciphertext that is too short, at any length", async () => {
    const { vault } = setUp();
    const sealed = await vault.seal(place(), "a refresh token");
    for (let length = 0; length < sealed.length; length++) {
      await expect(vault.open(place(), sealed.slice(0, length))).rejects.toThrow(SealBroken);
    }
  });

  it("seals the same text differently each time, without showing any of it", async () => {
    const { vault } = setUp();
    const [first, second] = [
      await vault.seal(place(), "tok-tok-tok"),
      await vault.seal(place(), "tok-tok-tok"),
    ];
    expect(Buffer.from(first).equals(second)).toBe(false);
    expect(Buffer.from(first).includes("tok-tok-tok")).toBe(false);
    // format, key id, salt, nonce, text, tag
    expect(first.length).toBe(2 + 2 + 32 + 12 + 11 + 16);
  });

  it("shows no secret in the error of a broken seal", async () => {
    const { vault } = setUp();
    const sealed = await vault.seal(place(), "hunter2");
    const error = await vault.open(place({ version: 8 }), sealed).catch((thrown: unknown) => thrown);
    expect(JSON.stringify([String(error), error])).not.toContain("hunter2");
  });
});

describe("data keys", () => {
  it("are unwrapped once for many concurrent callers and for five minutes", async () => {
    const { vault, state } = setUp();
    await Promise.all(Array.from({ length: 20 }, () => vault.seal(place(), "x")));
    state.now += 5 * 60_000 - 1;
    await vault.prepare("one");
    expect(state.unwraps).toBe(1);
    state.now += 1;
    await vault.prepare("one");
    expect(state.unwraps).toBe(2);
  });

  it("are unwrapped again when the clock was set back", async () => {
    const { vault, state } = setUp();
    await vault.prepare("one");
    state.now -= 1000;
    await vault.prepare("one");
    expect(state.unwraps).toBe(2);
  });

  it("answer 503 when the key service fails, and are unwrapped again for the next caller", async () => {
    const { vault, state } = setUp();
    state.failing = true;
    await expect(vault.prepare("one")).rejects.toMatchObject({
      status: 503,
      code: "key_service_unavailable",
    });
    state.failing = false;
    await vault.prepare("one");
    expect(state.unwraps).toBe(2);
  });

  it("from prepare can seal when KMS and the tables are down and five minutes are over", async () => {
    const { vault, state, organizations } = setUp();
    const sealer = await vault.prepare("one");
    if (sealer === undefined) throw new Error("prepare gave no sealer");
    const one = organizations.get("one");
    if (one === undefined) throw new Error("the organization is missing");
    organizations.clear();
    state.failing = true;
    state.now += 6 * 60_000;
    const sealed = await sealer.seal(place(), "the only refresh token");
    await expect(sealer.seal(place({ organizationId: "two" }), "x")).rejects.toThrow("another organization");
    organizations.set("one", one);
    state.failing = false;
    expect(await vault.open(place(), sealed)).toBe("the only refresh token");
  });

  it("can be rotated: new seals use the newest key, and old ones can be opened until their key is removed", async () => {
    const { vault, organizations, addKey } = setUp();
    const old = await vault.seal(place(), "old");
    addKey("one", "k2");
    const fresh = await vault.seal(place(), "new");
    expect(await vault.open(place(), old)).toBe("old");
    expect(await vault.open(place(), fresh)).toBe("new");

    const organization = organizations.get("one");
    if (organization === undefined) throw new Error("the organization is missing");
    organizations.set("one", { ...organization, dataKeys: organization.dataKeys.slice(1) });
    await expect(vault.open(place(), old)).rejects.toThrow(SealBroken);
    expect(await vault.open(place(), fresh)).toBe("new");
  });

  it("can open a secret that another process sealed with a key newer than the cached organization", async () => {
    const { keys, organizations, addKey, vault } = setUp();
    const stale = organizations.get("one");
    addKey("one", "k2");
    const sealed = await vault.seal(place(), "new");
    const behind = createVault({
      keys,
      organization: async (id, options) => (options?.fresh ? organizations.get(id) : stale),
    });
    expect(await behind.open(place(), sealed)).toBe("new");
  });

  it("are read from the table once more, and only once, when a secret names an unknown key", async () => {
    const { keys, organizations, vault, addKey } = setUp();
    addKey("one", "k2");
    const sealed = await vault.seal(place(), "x");
    const asked: (boolean | undefined)[] = [];
    const without = organizations.get("one");
    const poor = createVault({
      keys,
      organization: async (_, options) => {
        asked.push(options?.fresh);
        return without && { ...without, dataKeys: without.dataKeys.slice(0, 1) };
      },
    });
    await expect(poor.open(place(), sealed)).rejects.toThrow(SealBroken);
    expect(asked).toEqual([false, true]);
  });

  it("of a shredded organization open nothing, even if they were in memory", async () => {
    const { vault, organizations } = setUp();
    const sealed = await vault.seal(place(), "x");
    organizations.delete("one");
    await expect(vault.open(place(), sealed)).rejects.toThrow(SealBroken);
  });

  it("are cached for a limited number of organizations; the least recently used is dropped first", async () => {
    const { keys, addKey, organizations, state } = setUp();
    for (let index = 0; index < 1001; index++) addKey(`o${index}`, "k1");
    const vault = createVault({ keys, organization: async (id) => organizations.get(id) });
    for (let index = 0; index < 1000; index++) await vault.prepare(`o${index}`);
    await vault.prepare("o0");
    await vault.prepare("o1000");
    state.unwraps = 0;
    await vault.prepare("o0");
    expect(state.unwraps).toBe(0);
    await vault.prepare("o1");
    expect(state.unwraps).toBe(1);
  });
});
