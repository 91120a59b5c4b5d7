import { defineConnector } from "../../functions/connectors/define-connector.ts";
import type { Call, GrantOutcome, WorkerParts } from "../../functions/core/grant/grant-parts.ts";
import type { InstanceEvent } from "../../functions/core/grant/instance-event.ts";
import type {
  InstanceResealing,
  RescueRecord,
  Sealer,
  TokenOutcome,
  Vault,
} from "../../functions/core/grant/ports.ts";
import { timing } from "../../functions/core/grant/timing.ts";
import type { Grant, Instance } from "../../functions/core/instances/instance.ts";
import { needsReauthentication } from "../../functions/core/instances/instance.ts";
import type { TransientItem, TransientStore } from "../../functions/core/transients.ts";
import { type VendorKind, VendorModel } from "./vendor-model.ts";

/** Rules of the protocol that live outside the core's code, so that a test can take one out and see the model notice. */
export interface Rules {
  /** A held lease is seen. */
  lease: boolean;
  /** COMMIT asks for the base version. */
  commitVersion: boolean;
  /** Taking the lease asks for the fence that was read. */
  takeFence: boolean;
  /** A look into the rescue bucket sees what lies there. */
  look: boolean;
  /** The check just before sending can stop the request. */
  checkBeforeSend: boolean;
  /** RELEASE asks for the own fence. */
  releaseFence: boolean;
  /** needs_reauth asks for the own fence and version. */
  deadCondition: boolean;
  /** A sign-in's revocation of the grant that it replaced reaches the vendor. */
  revokeReplaced: boolean;
  /** The revocation of a grant that came too late reaches the vendor. */
  revokeLoser: boolean;
  /** A re-seal asks for the version that it read. */
  resealVersion: boolean;
}

export const ALL_RULES: Rules = {
  lease: true,
  commitVersion: true,
  takeFence: true,
  look: true,
  checkBeforeSend: true,
  releaseFence: true,
  deadCondition: true,
  revokeReplaced: true,
  revokeLoser: true,
  resealVersion: true,
};

/** What a worker has, and an operator's command. */
export type WorldParts = WorkerParts & { readonly instances: InstanceResealing };

export const ID = 42;
const ORGANIZATION = "org";
/** One answer of a store that is up takes at most so long. */
const STORE_ANSWER_MS = 2_000;
/** Long enough to be on the due index. */
const TOKEN_LIFETIME_MS = 600_000;

export type Mode = "ok" | "fail" | "lost";
type Place = "table" | "bucket" | "vault" | "connect" | "vendor" | "answer" | "revoke" | "transients";

/** Something a process waits for: nothing happens before the scheduler lets it. */
export interface Step {
  readonly process: Process;
  readonly place: Place;
  readonly label: string;
  /** A write: it may be done though its answer is lost. */
  readonly writes: boolean;
  readonly since: number;
  run(mode: Mode): void;
}

const FIRST_EPOCH = "000000000000001-first";

interface Timer {
  readonly at: number;
  readonly process: Process;
  readonly fire: () => void;
}

/** One invocation of one function, with clocks of its own; it can crash at any step. */
export class Process {
  readonly name: string;
  readonly startedAt: number;
  readonly lifetimeMs: number;
  readonly monotonicOffset: number;
  alive = true;
  finished = false;
  /** The lease it took last, as the table wrote it. */
  lease: { version: number; fence: number; epoch: string; until: number } | undefined;
  /** A token that the vendor answered with and that lies nowhere yet. */
  inHand: number | undefined;
  inHandSince = 0;
  /** The token that its sign-in replaced, and that it has yet to revoke. */
  owes: number | undefined;
  /** At the vendor with this token. */
  sending: number | undefined;
  /** The vendor has acted on it; the answer is on its way. */
  heard = false;
  /** How often it said what became of it. */
  counted = 0;

  constructor(name: string, startedAt: number, lifetimeMs: number) {
    this.name = name;
    this.startedAt = startedAt;
    this.lifetimeMs = lifetimeMs;
    this.monotonicOffset = (name.length * 7919) % 100_000;
  }
}

export class Violation extends Error {}

export class World {
  now = 1_700_000_000_000;
  table = true;
  bucket = true;
  readonly rules: Rules;
  readonly vendor: VendorModel;
  readonly steps: Step[] = [];
  readonly processes: Process[] = [];
  readonly log: string[] = [];
  readonly outcomes: GrantOutcome[] = [];
  readonly records = new Map<string, RescueRecord>();
  instance: Instance | undefined;
  /** Why the stored grant may rightly be dead: something that nothing could have kept was lost. */
  excused: string | undefined;
  /** A lease ran out over a grant in hand, with both stores failing: the documented residue. */
  residue = false;
  /** Tokens that somebody received and did not crash with. */
  readonly known = new Set<number>();
  #families = 1;
  #timers: Timer[] = [];
  #failures: { place: "table" | "bucket"; at: number }[] = [];
  readonly #transients = new Map<string, TransientItem>();
  readonly connector;

  constructor(kind: VendorKind, rules: Rules = ALL_RULES) {
    this.vendor = new VendorModel(kind);
    this.rules = rules;
    this.connector = defineConnector({
      key: "vendor",
      id: 1,
      name: "Vendor",
      description: "A vendor",
      hub: "documents",
      docs: "https://vendor.example/docs",
      console: "https://vendor.example/apps",
      oauth2: {
        authorizationUrl: "https://vendor.example/authorize",
        tokenUrl: "https://vendor.example/token",
        revocation: { url: "https://vendor.example/revoke", style: "rfc7009", ends: "token" },
        clientAuthentication: "client_secret_post",
        scopes: { default: [], separator: " " },
        accessToken: {},
        refreshToken: { rotates: kind !== "N" },
      },
      api: {
        origin: "https://api.vendor.example",
        credential: { in: "header", name: "Authorization", scheme: "Bearer" },
      },
    });
    const token = this.vendor.issue(this.#families);
    this.known.add(token);
    this.instance = {
      id: ID,
      organizationId: ORGANIZATION,
      userId: "user",
      connector: "vendor",
      name: "Mine",
      tags: [],
      createdAt: this.now - 1_000_000,
      updatedAt: this.now - 1_000_000,
      configuration: {},
      secretConfigurationKeys: [],
      tokenHashes: [],
      fence: 1,
      version: 1,
      epoch: FIRST_EPOCH,
      grant: this.#seal(1, {
        accessToken: `access-${token}`,
        tokenType: "bearer",
        refreshToken: String(token),
        obtainedAt: this.now - TOKEN_LIFETIME_MS,
        expiresAt: this.now,
        obtainedBy: "exchange",
        client: { kind: "own", id: "client", secret: "secret" },
      }),
      enabled: true,
      dueAt: this.now,
      refreshGroup: "group",
      lastUsedAt: this.now,
    };
  }

  // ---- processes and time

  /** Starts a process; its work runs as far as its first step. */
  start(
    name: string,
    work: (parts: WorldParts, call: Call, transients: TransientStore) => Promise<unknown>,
    lifetimeMs = 900_000,
  ): Process {
    const process = new Process(name, this.now, lifetimeMs);
    this.processes.push(process);
    const after: Promise<unknown>[] = [];
    const call: Call = {
      remainingMs: () => process.startedAt + process.lifetimeMs - this.now,
      afterAnswer: (promise) => {
        after.push(promise);
      },
    };
    this.log.push(`${name}: starts`);
    // A refusal to the caller is a rightful end; what the core must not do is looked for in the world's state.
    void work(this.#partsFor(process), call, this.#transientsFor(process))
      .catch((error: unknown) => {
        if (error instanceof Violation) throw error;
        this.log.push(`${name}: ends with ${error instanceof Error ? error.name : "?"}`);
      })
      .then(async () => {
        while (after.length > 0) await after.shift()?.catch(() => {});
      })
      .finally(() => {
        process.finished = true;
      });
    return process;
  }

  crash(process: Process, vendorHadProcessed = false): void {
    this.log.push(
      `${process.name}: crashes${process.inHand === undefined ? "" : ` with token ${process.inHand} in hand`}`,
    );
    if (process.sending !== undefined) {
      if (vendorHadProcessed && !process.heard) {
        process.heard = true;
        this.log.push(
          `  the vendor had heard token ${process.sending} -> ${this.vendor.refresh(process.sending)}`,
        );
      }
      if (process.heard) this.#excuse(process.sending, "a crash with the answer on its way");
    }
    if (process.inHand !== undefined) {
      this.known.delete(process.inHand);
      this.#excuse(process.inHand, "a crash with an unsaved grant");
    }
    // What it alone knew, nobody can end any more.
    if (process.owes !== undefined) this.known.delete(process.owes);
    process.alive = false;
    process.finished = true;
    this.#drop(process);
  }

  /** Lets time pass, but not past what happens on its own: a timer, or an answer of a store that is up. @returns whether it moved */
  advance(ms: number): boolean {
    const limits = this.steps.flatMap(({ place, since }) =>
      (place === "table" && this.table) || (place === "bucket" && this.bucket)
        ? Math.max(this.now, since + STORE_ANSWER_MS)
        : [],
    );
    const timers = this.#timers.map(({ at }) => at);
    const ends = this.processes.flatMap((process) =>
      process.finished ? [] : process.startedAt + process.lifetimeMs,
    );
    const target = Math.min(this.now + ms, ...limits, ...timers, ...ends);
    if (target < this.now) throw new Error("time ran backwards");
    const moved = target > this.now;
    this.now = target;
    const due = this.#timers.filter(({ at }) => at <= target);
    this.#timers = this.#timers.filter(({ at }) => at > target);
    for (const { fire } of due) fire();
    for (const process of this.processes) {
      if (!process.finished && process.startedAt + process.lifetimeMs <= target) this.crash(process);
    }
    this.#judgeLease();
    return moved || due.length > 0;
  }

  /** Everything that can happen without anything to wait for has happened. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  fault(place: "table" | "bucket", up: boolean): void {
    this[place] = up;
    this.log.push(`the ${place} ${up ? "is up again" : "goes down"}`);
    if (!up) this.#failures.push({ place, at: this.now });
  }

  // ---- what the invariants ask for

  tokenOf(version: number | string, sealed: Uint8Array): number {
    return Number(this.#unseal(version, sealed).refreshToken);
  }

  storedToken(): number | undefined {
    return this.instance === undefined ? undefined : this.tokenOf(this.instance.version, this.instance.grant);
  }

  /** A usable grant of the stored sign-in lies, or is carried, where the protocol will still find it. */
  isRecoverable(): boolean {
    const { instance } = this;
    if (instance === undefined) return false;
    const stored = this.storedToken();
    if (stored !== undefined && this.vendor.isUsable(stored)) return true;
    const carried = this.processes.some(
      ({ inHand, lease, finished }) =>
        !finished && inHand !== undefined && lease?.epoch === instance.epoch && this.vendor.isUsable(inHand),
    );
    if (carried) return true;
    return [...this.records.values()].some(
      (record) =>
        record.kind === "refresh" &&
        record.epoch === instance.epoch &&
        record.baseVersion === instance.version &&
        this.vendor.isUsable(this.tokenOf(record.fence, record.grant)),
    );
  }

  violation(text: string): Violation {
    return new Violation(`${text}\n  ${this.log.join("\n  ")}`);
  }

  violated: Violation | undefined;

  #violate(text: string): void {
    this.violated ??= this.violation(text);
  }

  // ---- ports

  #step<T>(process: Process, place: Place, label: string, writes: boolean, effect: () => T): Promise<T> {
    if (!process.alive) return new Promise<T>(() => {});
    return new Promise<T>((resolve, reject) => {
      const step: Step = {
        process,
        place,
        label,
        writes,
        since: this.now,
        run: (mode) => {
          this.steps.splice(this.steps.indexOf(step), 1);
          this.log.push(`${process.name}: ${label}${mode === "ok" ? "" : ` (${mode})`}`);
          if (mode !== "ok" && (place === "table" || place === "bucket")) {
            this.#failures.push({ place, at: this.now });
          }
          if (mode === "fail") return reject(new Error(`${place} fails`));
          let value: T;
          try {
            value = effect();
          } catch (error) {
            return reject(error);
          }
          if (mode === "lost") return reject(new Error(`the answer of ${place} is lost`));
          resolve(value);
        },
      };
      this.steps.push(step);
    });
  }

  #drop(process: Process): void {
    for (const step of this.steps.filter((each) => each.process === process)) {
      this.steps.splice(this.steps.indexOf(step), 1);
    }
    this.#timers = this.#timers.filter((timer) => timer.process !== process);
  }

  #reading(process: Process, askedAt: number): { dateMs: number; monotonicMs: number } {
    return {
      dateMs: Math.floor(this.now / 1000) * 1000,
      monotonicMs: askedAt + process.monotonicOffset,
    };
  }

  #partsFor(process: Process): WorldParts {
    const table = <T>(label: string, writes: boolean, effect: () => T) =>
      this.#step(process, "table", label, writes, effect);
    const write = (
      label: string,
      condition: (instance: Instance) => boolean,
      change: (instance: Instance) => Instance | undefined,
    ): Promise<boolean> =>
      table(label, true, () => {
        const { instance } = this;
        if (instance === undefined || !condition(instance)) {
          this.log.push("  refused");
          return false;
        }
        this.instance = change(instance);
        return true;
      });
    const without = (instance: Instance, ...names: (keyof Instance)[]): Instance => {
      const copy: Record<string, unknown> = { ...instance };
      for (const name of names) delete copy[name];
      return copy as unknown as Instance;
    };
    const due = (dueAt: number | undefined): { dueAt?: number } => (dueAt === undefined ? {} : { dueAt });
    const { rules } = this;

    return {
      instances: {
        get: (id) => {
          const askedAt = this.now;
          return table("reads the item", false, () => {
            const reading = this.#reading(process, askedAt);
            if (id !== ID || this.instance === undefined) return { value: undefined, reading };
            const blind = !rules.lease && this.instance.until !== undefined;
            return {
              value: blind ? { ...this.instance, until: reading.dateMs - 1000 } : this.instance,
              reading,
            };
          });
        },
        takeLease: (_id, seen, until) =>
          write(
            `takes the lease on version ${seen.version} as fence ${seen.fence + 1}`,
            ({ version, fence }) => version === seen.version && (!rules.takeFence || fence === seen.fence),
            (instance) => {
              process.lease = { version: seen.version, fence: seen.fence + 1, epoch: instance.epoch, until };
              return { ...instance, fence: seen.fence + 1, until };
            },
          ),
        release: (_id, fence, change = {}) =>
          write(
            `releases fence ${fence}`,
            (instance) => !rules.releaseFence || instance.fence === fence,
            (instance) => ({ ...without(instance, "until"), ...change }),
          ),
        commit: (_id, base, won) =>
          write(
            `commits token ${this.tokenOf(won.fence, won.grant)} as version ${won.fence} over ${base.version}`,
            ({ version, deleting }) =>
              (!rules.commitVersion || version === base.version) && deleting !== true,
            (instance) => {
              const token = this.tokenOf(won.fence, won.grant);
              this.#judgeCommit(process, instance, token);
              this.#saved(token);
              return {
                ...without(
                  instance,
                  "until",
                  "deadVersion",
                  "dueAt",
                  "dueSince",
                  "lastError",
                  "attempts",
                  "retryAt",
                ),
                grant: won.grant,
                version: won.fence,
                lastRefreshedAt: won.refreshedAt,
                ...due(won.dueAt),
              };
            },
          ),
        markDead: (_id, seen, lastError) =>
          write(
            `marks version ${seen.version} dead`,
            ({ version, fence, deleting }) =>
              deleting !== true &&
              (!rules.deadCondition || (version === seen.version && fence === seen.fence)),
            (instance) => {
              if (!this.residue && this.isRecoverable()) {
                this.#violate("5: needs_reauth is written though a usable grant is at hand");
              }
              const deadVersion = rules.deadCondition ? seen.version : instance.version;
              return { ...without(instance, "until", "dueAt", "dueSince"), deadVersion, lastError };
            },
          ),
        signIn: (_id, seen, won) =>
          write(
            `signs in as epoch ${won.epoch}, version ${seen.fence + 1}`,
            ({ epoch, fence, version, deleting }) =>
              epoch < won.epoch && fence === seen.fence && version === seen.version && deleting !== true,
            (instance) => {
              const token = this.tokenOf(seen.fence + 1, won.grant);
              const stored = this.storedToken();
              if (stored !== undefined && this.vendor.familyOf(token) < this.vendor.familyOf(stored)) {
                this.#violate("3: an older sign-in replaces a newer one");
              }
              this.#saved(token);
              process.owes = stored;
              this.excused = undefined;
              return {
                ...without(
                  instance,
                  "until",
                  "deadVersion",
                  "dueAt",
                  "dueSince",
                  "lastError",
                  "attempts",
                  "retryAt",
                ),
                grant: won.grant,
                epoch: won.epoch,
                fence: seen.fence + 1,
                version: seen.fence + 1,
                ...due(won.dueAt),
              };
            },
          ),
        reseal: (_id, seen, grant) =>
          write(
            `re-seals version ${seen.version}`,
            ({ version, fence }) =>
              !rules.resealVersion || (version === seen.version && fence === seen.fence),
            (instance) => {
              if (instance.version !== seen.version) {
                this.#violate(
                  `3: a re-seal puts version ${seen.version} in the place of ${instance.version}`,
                );
              }
              return { ...instance, grant };
            },
          ),
        resealConfiguration: () => Promise.reject(new Error("no configuration in this world")),
        markDeleting: (_id, now) =>
          write(
            "marks the item for deletion",
            () => true,
            (instance) => ({
              ...without(instance, "dueSince"),
              deleting: true,
              deletingSince: instance.deletingSince ?? now,
              dueAt: now,
            }),
          ),
        remove: () =>
          write(
            "deletes the item",
            ({ deleting }) => deleting === true,
            () => undefined,
          ),
        setEnabled: (_id, enabled, now) =>
          write(
            enabled ? "enables" : "disables",
            ({ deleting }) => deleting !== true,
            (instance) =>
              enabled ? { ...without(instance, "dueSince"), enabled, dueAt: now } : { ...instance, enabled },
          ),
        update: (_id, changes) =>
          write(
            "updates",
            ({ deleting }) => deleting !== true,
            (instance) => ({ ...instance, ...changes }),
          ),
        noteAccount: (_id, seen, { at: _, ...noted }) =>
          write(
            "notes its account",
            ({ epoch, deleting }) => epoch === seen.epoch && deleting !== true,
            (instance) => ({ ...instance, ...noted }),
          ),
        touch: (_id, lastUsedAt, dueAt) =>
          write(
            "notes its use",
            ({ deleting }) => deleting !== true,
            (instance) => ({ ...instance, lastUsedAt, ...due(dueAt) }),
          ),
        push: (_id, seen, to, owedSince) =>
          write(
            "pushes its due time",
            ({ dueAt }) => dueAt === seen,
            (instance) => ({
              ...without(instance, "dueAt", "dueSince"),
              ...due(to),
              ...(owedSince === undefined ? {} : { dueSince: owedSince }),
            }),
          ),
        create: () => Promise.reject(new Error("no new instance in this world")),
        hasSibling: () => Promise.resolve(false),
      },
      rescue: {
        put: (record) =>
          this.#step(process, "bucket", `puts the record ${keyOf(record)}`, true, () => {
            this.records.set(keyOf(record), record);
            if (record.kind === "refresh") this.#saved(this.tokenOf(record.fence, record.grant));
            if (record.kind === "sign-in") this.#saved(this.tokenOf(`signin-${record.epoch}`, record.grant));
          }),
        get: (_id, fence) =>
          this.#step(process, "bucket", `looks for the record of fence ${fence}`, false, () =>
            rules.look ? this.records.get(`rescue/${ID}/${fence}`) : undefined,
          ),
        read: (key) =>
          this.#step(process, "bucket", `reads the record ${key}`, false, () => this.records.get(key)),
        remove: (key) =>
          this.#step(process, "bucket", `removes the record ${key}`, true, () => {
            this.records.delete(key);
          }),
      },
      vault: this.#vaultFor(process),
      tokens: {
        refresh: (_connector, _client, request) => this.#refreshAtVendor(process, request),
        exchangeCode: () => this.#exchangeAtVendor(process),
        revoke: (_connector, _client, grant) => {
          const token = Number(grant.refreshToken);
          return this.#step(process, "revoke", `revokes token ${token}`, true, () => {
            const replaced = process.name.startsWith("Q") && token !== process.inHand;
            if (replaced ? !rules.revokeReplaced : !rules.revokeLoser && this.instance?.deleting !== true)
              return true;
            this.vendor.revoke(token);
            if (process.owes === token) process.owes = undefined;
            if (process.inHand === token) process.inHand = undefined;
            return true;
          });
        },
      },
      clients: { resolve: () => Promise.resolve({ id: "client", secret: "secret" }) },
      http: { send: () => Promise.reject(new Error("no calls to the API in this world")) },
      connectors: () => this.connector,
      monotonic: () => this.now + process.monotonicOffset,
      random: () => 0.5,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (!process.alive) return;
          const timer: Timer = { at: this.now + ms, process, fire: resolve };
          this.#timers.push(timer);
          signal?.addEventListener("abort", () => {
            this.#timers = this.#timers.filter((each) => each !== timer);
            resolve();
          });
        }),
      timing,
      handOver: () => Promise.resolve(),
      outcome: (outcome) => {
        this.outcomes.push(outcome);
        process.counted += 1;
        if (outcome.outcome === "lost") process.inHand = undefined;
      },
      announce: (event) => {
        this.#judgeEvent(process, event);
        return Promise.resolve();
      },
      publish: () => Promise.reject(new Error("nothing is published in this world")),
      // Whether somebody may begin is no matter of the protocol.
      pauses: {
        check: () => Promise.resolve({ kind: "open" }),
        pause: () => Promise.resolve(),
        resume: () => Promise.resolve(),
      },
      activeWindowMs: 7 * 86_400_000,
    };
  }

  #vaultFor(process: Process): Vault {
    const sealer: Sealer = {
      seal: (place, text) => Promise.resolve(new TextEncoder().encode(JSON.stringify([place, text]))),
    };
    return {
      ...sealer,
      // KMS: the one thing of the vault that can be slow.
      prepare: () => this.#step(process, "vault", "unwraps the key", false, () => sealer),
      open: (place, sealed) => {
        const [sealedPlace, text] = JSON.parse(new TextDecoder().decode(sealed)) as [unknown, string];
        if (JSON.stringify(sealedPlace) !== JSON.stringify(place))
          throw new Error("sealed for another place");
        return Promise.resolve(text);
      },
    };
  }

  #transientsFor(process: Process): TransientStore {
    const living = (id: string): TransientItem | undefined => {
      const item = this.#transients.get(id);
      return item === undefined || item.expiresAt <= this.now ? undefined : item;
    };
    const step = <T>(label: string, effect: () => T) =>
      this.#step(process, "transients", label, true, effect);
    return {
      put: (item) =>
        step(`reserves ${item.id.slice(0, 9)}`, () => {
          if (living(item.id) !== undefined) return false;
          this.#transients.set(item.id, item);
          return true;
        }),
      get: (id) => step(`looks up ${id.slice(0, 9)}`, () => living(id)) as never,
      consume: () => Promise.reject(new Error("nothing is consumed in this world")),
      replace: () => Promise.reject(new Error("nothing is replaced in this world")),
      remove: (id) =>
        step(`forgets ${id.slice(0, 9)}`, () => {
          this.#transients.delete(id);
        }),
      now: () => this.now,
    };
  }

  // ---- the vendor, as a process meets it

  async #refreshAtVendor(
    process: Process,
    request: { refreshToken: string; timeoutMs: number; beforeSend: () => void },
  ): Promise<TokenOutcome> {
    const token = Number(request.refreshToken);
    try {
      await this.#step(process, "connect", "connects to the vendor", false, () => {
        try {
          request.beforeSend();
        } catch (error) {
          if (this.rules.checkBeforeSend) throw error;
        }
        this.#judgeSend(process, token);
        process.sending = token;
        process.heard = false;
      });
    } catch {
      return { kind: "never_sent", reason: "no connection" };
    }
    const outcome = await this.#answered<TokenOutcome>(process, request.timeoutMs, async () => {
      let got: number;
      try {
        got = await this.#step(process, "vendor", `is heard by the vendor with token ${token}`, true, () => {
          const next = this.vendor.refresh(token);
          this.log.push(`  -> ${next === 0 ? "invalid_grant" : `token ${next}`}`);
          process.heard = true;
          return next;
        });
      } catch {
        // `lost`: the vendor has acted; `fail`: it has not.
        if (process.heard) this.#excuse(token, "an answer of the vendor was lost");
        process.sending = undefined;
        return { kind: "unknown", reason: "reset" };
      }
      const late: TokenOutcome = { kind: "unknown", reason: "the answer was lost" };
      try {
        await this.#step(process, "answer", "gets the vendor's answer", false, () => {
          process.sending = undefined;
          if (got === 0) return;
          process.inHand = got;
          process.inHandSince = this.now;
          this.known.add(got);
        });
      } catch {
        process.sending = undefined;
        this.#excuse(token, "an answer of the vendor was lost");
        return late;
      }
      return got === 0 ? { kind: "invalid_grant", error: "invalid_grant" } : this.#granted(token, got);
    });
    if (outcome !== undefined) return outcome;
    if (process.heard) this.#excuse(token, "the vendor's answer came after our patience");
    process.sending = undefined;
    return { kind: "unknown", reason: "timeout" };
  }

  /** `undefined`: our patience ended first; whatever was still to come is dropped. */
  async #answered<T>(process: Process, timeoutMs: number, work: () => Promise<T>): Promise<T | undefined> {
    return await new Promise<T | undefined>((resolve) => {
      const timer: Timer = {
        at: this.now + timeoutMs,
        process,
        fire: () => {
          this.log.push(`${process.name}: its patience with the vendor ends`);
          for (const step of this.steps.filter(
            (each) => each.process === process && (each.place === "vendor" || each.place === "answer"),
          )) {
            this.steps.splice(this.steps.indexOf(step), 1);
          }
          resolve(undefined);
        },
      };
      this.#timers.push(timer);
      void work().then((value) => {
        this.#timers = this.#timers.filter((each) => each !== timer);
        resolve(value);
      });
    });
  }

  #granted(sent: number, got: number): TokenOutcome {
    return {
      kind: "granted",
      response: {
        accessToken: `access-${got}-${this.now}`,
        tokenType: "bearer",
        expiresInMs: TOKEN_LIFETIME_MS,
        ...(got === sent ? {} : { refreshToken: String(got) }),
      },
    };
  }

  async #exchangeAtVendor(process: Process): Promise<TokenOutcome> {
    try {
      const token = await this.#step(process, "answer", "exchanges its code", true, () => {
        const got = this.vendor.issue(this.#familyOf(process));
        this.log.push(`  -> token ${got} of a new family`);
        return got;
      });
      process.inHand = token;
      process.inHandSince = this.now;
      this.known.add(token);
      return this.#granted(0, token);
    } catch {
      return { kind: "unknown", reason: "the answer was lost" };
    }
  }

  readonly #epochs = new Map<string, number>();

  /** The order of the sign-ins, fixed when the state is consumed, which is before the exchange. */
  newEpoch(name: string): string {
    this.#families += 1;
    this.#epochs.set(name, this.#families);
    return `${String(this.#families).padStart(15, "0")}-${name}`;
  }

  #familyOf(process: Process): number {
    return this.#epochs.get(process.name) ?? this.#families;
  }

  #seal(version: number, grant: Grant): Uint8Array {
    const place = { organizationId: ORGANIZATION, item: `instance/${ID}`, field: "grant", version };
    return new TextEncoder().encode(JSON.stringify([place, JSON.stringify(grant)]));
  }

  #unseal(version: number | string, sealed: Uint8Array): Grant {
    const [place, text] = JSON.parse(new TextDecoder().decode(sealed)) as [{ version: unknown }, string];
    if (place.version !== version) throw new Error(`sealed for version ${place.version}, not ${version}`);
    return JSON.parse(text) as Grant;
  }

  /** It lies in a store: whoever carried it may go. */
  #saved(token: number): void {
    for (const process of this.processes) if (process.inHand === token) process.inHand = undefined;
  }

  /** A strict vendor ends what was rotated and lost; nothing can be done about that. */
  #excuse(token: number, why: string): void {
    if (this.vendor.kind !== "S") return;
    const stored = this.storedToken();
    if (stored !== undefined && this.vendor.familyOf(token) !== this.vendor.familyOf(stored)) return;
    this.excused = why;
    this.log.push(`  (excused: ${why})`);
  }

  // ---- invariants that are judged as things happen

  #judgeSend(process: Process, token: number): void {
    const { instance } = this;
    const mine = process.lease;
    if (instance === undefined || instance.deleting === true || mine === undefined) return;
    if (mine.epoch !== instance.epoch || this.residue) return;
    const held = instance.until !== undefined && instance.until >= Math.floor(this.now / 1000) * 1000;
    if (held && instance.fence !== mine.fence && instance.version === mine.version) {
      this.#violate(`1: ${process.name} sends token ${token} while another holds the lease`);
    }
    const rivals = this.processes.filter(
      (other) =>
        other !== process && !other.finished && other.sending === token && other.lease?.epoch === mine.epoch,
    );
    if (rivals.length > 0)
      this.#violate(`1: ${process.name} sends token ${token} while ${rivals[0]?.name} does`);
    if (this.vendor.kind === "N") return;
    if (instance.version !== mine.version) {
      this.#violate(
        `2: ${process.name} sends token ${token} though version ${instance.version} is committed`,
      );
    }
    for (const record of this.records.values()) {
      if (record.kind !== "refresh" || record.epoch !== instance.epoch) continue;
      if (record.baseVersion === mine.version && this.tokenOf(record.fence, record.grant) > token) {
        this.#violate(`2: ${process.name} sends token ${token} though a newer one lies in the rescue bucket`);
      }
    }
  }

  #judgeCommit(process: Process, instance: Instance, token: number): void {
    const stored = this.storedToken();
    if (stored === undefined || this.residue) return;
    const [newer, older] = [this.vendor.familyOf(token), this.vendor.familyOf(stored)];
    if (newer < older || (newer === older && token < stored)) {
      this.#violate(`3: ${process.name} overwrites token ${stored} by the older ${token}`);
    }
    if (instance.deleting === true) this.#violate(`3: ${process.name} commits onto what is being deleted`);
  }

  /** A grant in hand past its lease: only where both stores failed in that time; anything else breaks the lease's promise. */
  #judgeLease(): void {
    for (const process of this.processes) {
      const { lease, inHand, inHandSince, finished } = process;
      // Lost to a sign-in or a delete already: it only has to be revoked.
      const { instance } = this;
      if (instance === undefined || instance.deleting === true || instance.epoch !== lease?.epoch) continue;
      if (finished || inHand === undefined || lease === undefined || this.now <= lease.until) continue;
      const failed = (place: "table" | "bucket"): boolean =>
        !this[place] ||
        this.#failures.some((failure) => failure.place === place && failure.at >= inHandSince);
      if (failed("table") && failed("bucket")) {
        if (!this.residue) this.log.push("  (residue: both stores fail past the lease)");
        this.residue = true;
        this.excused = "both stores were down past the lease";
      } else if (!this.residue) {
        this.#violate(`1: ${process.name} still carries token ${inHand} though its lease ran out`);
      }
    }
  }

  /** Nothing happens between a write and its telling: what is told must stand there. */
  #judgeEvent(process: Process, { name }: InstanceEvent): void {
    const { instance } = this;
    this.log.push(`${process.name}: tells ${name}`);
    const holds: Partial<Record<InstanceEvent["name"], boolean>> = {
      "instance.needs_reauth": this.needsReauth(),
      "instance.disabled": instance?.enabled === false,
      "instance.enabled": instance?.enabled === true,
      "instance.deleted": instance === undefined,
      "instance.reauthenticated": instance !== undefined && instance.epoch !== FIRST_EPOCH,
    };
    if (holds[name] === false) this.#violate(`10: ${process.name} tells ${name}, which is not written`);
  }

  needsReauth(): boolean {
    return this.instance !== undefined && needsReauthentication(this.instance);
  }
}

function keyOf(record: RescueRecord): string {
  if (record.kind === "new") return `rescue/${record.instance.id}/new`;
  return `rescue/${record.instanceId}/${record.kind === "refresh" ? record.fence : `signin-${record.epoch}`}`;
}
