import type { Connector } from "../../functions/connectors/define-connector.ts";
import type { Call, GrantOutcome, WorkerDeps } from "../../functions/core/grant/grant-deps.ts";
import type { InstanceEvent } from "../../functions/core/grant/instance-event.ts";
import { clientPauses } from "../../functions/core/grant/refresh/client-pauses.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { Grant, Instance } from "../../functions/core/instances/instance.ts";
import type { InstanceStore } from "../../functions/core/instances/instance-store.ts";
import type { PendingSignIn } from "../../functions/core/instances/pending-sign-in.ts";
import type { RescueRecord } from "../../functions/core/instances/rescue-store.ts";
import type { TokenOutcome } from "../../functions/core/oauth/ports.ts";
import { StoreRefused } from "../../functions/core/store-refused.ts";
import type { TransientItem, TransientStore } from "../../functions/core/transients.ts";
import { SealBroken } from "../../functions/core/vault/sealed-format.ts";
import { connector } from "./connector.ts";
import { MemoryTables } from "./memory/memory-tables.ts";
import { accountHttp } from "./told-by.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const granted = (accessToken: string, more: Record<string, unknown> = {}): TokenOutcome => ({
  kind: "granted",
  response: {
    accessToken,
    tokenType: "bearer",
    refreshToken: `r-${accessToken}`,
    expiresInMs: HOUR,
    ...more,
  },
});

/**
 * The core's ports in memory, with a clock that moves only when a test moves it: for tests of one step at a time. Every port
 * answers at once, unless the test makes it fail.
 */
export class CalmWorld {
  now = 1_700_000_000_000;
  connector: Connector = connector;
  readonly #tables = new MemoryTables({
    reading: () => ({
      dateMs: Math.floor(this.now / 1000) * 1000,
      monotonicMs: this.now - 1_600_000_000_000,
    }),
    called: (call) => {
      this.tableCalls.push(call);
      if (this.tableFails) throw new Error("the table fails");
    },
    writes: (instance) => {
      if (!this.holds(instance)) throw new StoreRefused("table", "it is too large", { tooLarge: true });
    },
  });
  readonly items = this.#tables.items;
  readonly records = new Map<string, RescueRecord>();
  /** Keys are `<instance>/<session>/<epoch>`. */
  readonly pendings = this.#tables.pendings;
  readonly transientItems = new Map<string, TransientItem>();
  readonly outcomes: GrantOutcome[] = [];
  readonly announced: InstanceEvent[] = [];
  readonly published: InstanceEvent[] = [];
  readonly handedOver: { id: number; cause: string }[] = [];
  readonly sent: string[] = [];
  readonly revoked: string[] = [];
  /** Names of table calls, in order. */
  readonly tableCalls: string[] = [];
  tableFails = false;
  /** Whether the table accepts an item; it refuses any other item for good. */
  holds: (instance: Instance) => boolean = () => true;
  bucketFails = false;
  /** When true, nothing sealed can be opened, as when KMS does not answer. */
  vaultFails = false;
  revocationFails = false;
  busFails = false;
  /** The vendor's answer to a refresh, and its time. */
  answer: (refreshToken: string) => TokenOutcome | Promise<TokenOutcome> = () => granted("new");
  exchange: (code: string) => TokenOutcome | Promise<TokenOutcome> = () => granted("first");
  remaining = 900_000;
  #timers: { at: number; fire: () => void }[] = [];
  readonly after: Promise<unknown>[] = [];

  readonly call: Call = {
    remainingMs: () => this.remaining,
    afterAnswer: (work) => {
      this.after.push(work);
    },
  };

  /** Moves the clock and fires the timers that are due on the way, in order. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await this.settle();
      const next = this.#timers.toSorted((one, other) => one.at - other.at)[0];
      if (next === undefined || next.at > end) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.now = Math.max(this.now, next.at);
      next.fire();
    }
    this.now = end;
    await this.settle();
  }

  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits until the work is done, and moves the clock as far as that needs. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const watched = work.finally(() => {
      done = true;
    });
    watched.catch(() => {});
    for (let rounds = 0; !done && rounds < 5_000; rounds++) await this.pass(250);
    if (!done) throw new Error("it does not come to an end");
    return await watched;
  }

  grant(changes: Partial<Grant> = {}): Grant {
    return {
      accessToken: "old",
      tokenType: "bearer",
      refreshToken: "r-old",
      obtainedAt: this.now,
      expiresAt: this.now + HOUR,
      obtainedBy: "refresh",
      client: { kind: "own", id: "client", secret: "secret" },
      ...changes,
    };
  }

  put(grant: Partial<Grant> = {}, changes: Partial<Instance> = {}): Instance {
    const id = changes.id ?? 42;
    const instance: Instance = {
      id,
      organizationId: "org",
      userId: "user",
      connector: "vendor",
      name: "Mine",
      tags: [],
      createdAt: this.now,
      updatedAt: this.now,
      configuration: {},
      secretConfigurationKeys: [],
      tokenHashes: [],
      fence: 1,
      version: 1,
      epoch: "000000000000001-first",
      grant: seal({ id, organizationId: changes.organizationId ?? "org" }, this.grant(grant)),
      enabled: true,
      refreshGroup: "group",
      lastUsedAt: this.now,
      dueAt: this.now + HOUR,
      ...changes,
    };
    this.items.set(id, instance);
    return instance;
  }

  stored(id = 42): Instance & { readonly plain: Grant } {
    const instance = this.items.get(id);
    if (instance === undefined) throw new Error(`no instance ${id}`);
    return { ...instance, plain: unseal(instance) };
  }

  async read(id = 42) {
    const { value, reading } = await this.deps.instances.get(id);
    if (value === undefined) throw new Error(`no instance ${id}`);
    this.tableCalls.length = 0;
    return { instance: value, reading };
  }

  readonly deps: WorkerDeps & { readonly instances: InstanceStore } = {
    instances: this.#tables.instances,
    rescue: {
      put: async (record) => {
        this.#bucket();
        this.records.set(rescueKey(record), record);
      },
      get: async (id, fence) => {
        this.#bucket();
        return this.records.get(`rescue/${id}/${fence}`);
      },
      read: async (key) => {
        this.#bucket();
        return this.records.get(key);
      },
      remove: async (key) => {
        this.#bucket();
        this.records.delete(key);
      },
    },
    vault: {
      prepare: async () => this.deps.vault,
      seal: async (place, text) => new TextEncoder().encode(JSON.stringify([place, text])),
      open: async (place, sealed) => {
        if (this.vaultFails) throw new Error("KMS does not answer");
        const [sealedPlace, text] = JSON.parse(new TextDecoder().decode(sealed)) as [unknown, string];
        if (JSON.stringify(sealedPlace) !== JSON.stringify(place))
          throw new SealBroken("it belongs elsewhere");
        return text;
      },
    },
    tokens: {
      refresh: async (_connector, _client, { refreshToken, beforeSend }) => {
        try {
          beforeSend();
        } catch {
          return { kind: "never_sent", reason: "too late" };
        }
        this.sent.push(refreshToken);
        return await this.answer(refreshToken);
      },
      exchangeCode: async (_connector, _client, { code }) => {
        this.sent.push(code);
        return await this.exchange(code);
      },
      revoke: async (_connector, _client, grant) => {
        if (this.revocationFails) return false;
        this.revoked.push(grant.accessToken);
        return true;
      },
    },
    clients: { resolve: async () => ({ id: "client", secret: "secret" }) },
    http: accountHttp,
    connectors: () => this.connector,
    monotonic: () => this.now - 1_600_000_000_000,
    random: () => 0.5,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = { at: this.now + ms, fire: () => resolve() };
        this.#timers.push(timer);
        signal?.addEventListener("abort", () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
          resolve();
        });
      }),
    timing,
    pendings: this.#tables.pendingSignIns,
    enqueuePending: async ({ instanceId: id }) => {
      this.handedOver.push({ id, cause: "pending" });
    },
    enqueueDeletion: async ({ id }) => {
      this.handedOver.push({ id, cause: "delete" });
    },
    enqueueRefresh: async ({ id }, cause) => {
      this.handedOver.push({ id, cause });
    },
    outcome: (outcome) => {
      this.outcomes.push(outcome);
    },
    announce: async (event) => {
      this.announced.push(event);
    },
    publish: async (event) => {
      if (this.busFails) throw new Error("the bus fails");
      this.published.push(event);
    },
    // `transients` is created below this point, so it is read only when a call needs it.
    pauses: {
      check: (key, now) => clientPauses(this.transients, timing).check(key, now),
      pause: (key, now) => clientPauses(this.transients, timing).pause(key, now),
      giveBack: (key, probe, now) => clientPauses(this.transients, timing).giveBack(key, probe, now),
      resume: (key) => clientPauses(this.transients, timing).resume(key),
    },
    activeWindowMs: 7 * DAY,
  };

  readonly transients: TransientStore = {
    now: () => this.now,
    put: async (item) => {
      if (this.#living(item.id) !== undefined) return false;
      this.transientItems.set(item.id, item);
      return true;
    },
    get: async (id) => this.#living(id) as never,
    consume: async (id) => {
      const item = this.#living(id);
      this.transientItems.delete(id);
      return item as never;
    },
    replace: async (item, { field, seen }) => {
      const old = this.#living(item.id) as Record<string, unknown> | undefined;
      if (old === undefined || old[field] !== seen) return false;
      this.transientItems.set(item.id, item);
      return true;
    },
    remove: async (id) => {
      this.transientItems.delete(id);
    },
  };

  /** The only pending sign-in. */
  pending(): PendingSignIn {
    const [pending, ...others] = this.pendings.values();
    if (pending === undefined || others.length > 0) throw new Error(`${this.pendings.size} are pending`);
    return pending;
  }

  #living(id: string): TransientItem | undefined {
    const item = this.transientItems.get(id);
    return item === undefined || item.expiresAt <= this.now ? undefined : item;
  }

  #bucket(): void {
    if (this.bucketFails) throw new Error("the bucket fails");
  }
}

function rescueKey(record: RescueRecord): string {
  switch (record.kind) {
    case "new":
      return `rescue/${record.instance.id}/new`;
    case "pending":
      return `rescue/${record.pending.instanceId}/pending-${record.pending.epoch}`;
    case "refresh":
      return `rescue/${record.instanceId}/${record.fence}`;
    case "sign-in":
      return `rescue/${record.instanceId}/signin-${record.epoch}`;
  }
}

/** Puts an instance as its first version. */
function seal({ id, organizationId }: Pick<Instance, "id" | "organizationId">, grant: Grant): Uint8Array {
  const place = { organizationId, item: `instance/${id}`, field: "grant", version: 1 };
  return new TextEncoder().encode(JSON.stringify([place, JSON.stringify(grant)]));
}

function unseal(instance: Instance): Grant {
  const [place, text] = JSON.parse(new TextDecoder().decode(instance.grant)) as [
    { version: unknown },
    string,
  ];
  if (place.version !== instance.version) throw new Error("the stored grant is sealed for another version");
  return JSON.parse(text) as Grant;
}
