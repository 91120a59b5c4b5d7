import type { Connector } from "../../../functions/connectors/define-connector.ts";
import type { Call, GrantOutcome } from "../../../functions/core/grant/grant-deps.ts";
import { refreshGroup } from "../../../functions/core/grant/store/refresh-group.ts";
import type { Grant, Instance } from "../../../functions/core/instances/instance.ts";
import { needsReauthentication } from "../../../functions/core/instances/instance.ts";
import type { PendingKey, PendingSignIn } from "../../../functions/core/instances/pending-sign-in.ts";
import type { RescueRecord } from "../../../functions/core/instances/rescue-store.ts";
import { StoreRefused } from "../../../functions/core/store-refused.ts";
import type { TransientItem, TransientStore } from "../../../functions/core/transients.ts";
import { connector } from "../connector.ts";
import { judgeLease } from "./invariants.ts";
import { type Place, Process, type Step, type Timer } from "./process.ts";
import { ALL_RULES, type Rules } from "./rules.ts";
import { type VendorKind, VendorModel } from "./vendor-model.ts";
import { portsOf, transientsOf, type WorldDeps } from "./world-ports.ts";

const ID = 42;
const ORGANIZATION = "org";
/** The longest time that a store takes to answer while it is up. */
const STORE_ANSWER_MS = 2_000;
/** Long enough for the due index. */
export const TOKEN_LIFETIME_MS = 600_000;
/** The epoch of the sign-in with which the world begins. */
export const FIRST_EPOCH = "000000000000001-first";

export class Violation extends Error {}
export class World {
  now = 1_700_000_000_000;
  /** The refresh group of the client with which every actor signs in. */
  readonly group = refreshGroup("vendor", "client");
  /** The id of the instance, or the one reserved for it. */
  id = ID;
  table = true;
  bucket = true;
  /** Which new grants the table refuses for good: those with undeclared members, or all. */
  refuses: "none" | "members" | "all" = "none";
  /** The table has refused a grant for good even without its members. */
  hasRefused = false;
  readonly rules: Rules;
  readonly vendor: VendorModel;
  readonly steps: Step[] = [];
  readonly processes: Process[] = [];
  readonly log: string[] = [];
  readonly outcomes: GrantOutcome[] = [];
  readonly records = new Map<string, RescueRecord>();
  instance: Instance | undefined;
  /** The instance was deleted (`gone`); it was created again since (`risen`). */
  gone = false;
  risen = false;
  /** Why the stored grant may be dead: something was lost that could not have been kept. */
  excused: string | undefined;
  /** A lease ended while a process had an unsaved grant, with both stores failing: the documented residue. */
  residue = false;
  /**
   * `lies`: the vendor calls every refresh token dead; `refuses`: it refuses every refresh token and does nothing. Both are
   * wrong.
   */
  mood: "well" | "lies" | "refuses" = "well";
  /** How often, and since when, the tokens of a version were refused. */
  refused: { version: number; count: number; since: number } | undefined;
  /** When a refresh was last forced: the time that its lease asked for. */
  lastForcedAt: number | undefined;
  /** Tokens that a process received and did not lose in a crash. */
  readonly known = new Set<number>();
  families = 1;
  /** How many of the next refreshes bring an access token that no header can carry. */
  unusable = 0;
  timers: Timer[] = [];
  failures: { place: "table" | "bucket"; at: number }[] = [];
  readonly transients = new Map<string, TransientItem>();
  /** Pending sign-ins by session; here each session has one. */
  readonly pendings = new Map<string, PendingSignIn>();
  /**
   * Sessions that the right user has begun to claim. In `refusals`: sessions that were refused, and whose refuser got that
   * answer.
   */
  readonly claims = new Set<string>();
  /** Epochs of the sign-ins whose claim is marked in the table. */
  readonly marked = new Set<string>();
  readonly refusals = new Set<string>();
  /** Connect sessions whose user is back, and which can be claimed. */
  readonly sessions = new Map<
    string,
    { readonly key: PendingKey; status: "connected" | "claimed" | "refused"; tries: number }
  >();
  readonly connector: Connector;
  /** The vendor names the account of a token. */
  readonly tellsAccounts: boolean;

  constructor(
    kind: VendorKind,
    rules: Rules = ALL_RULES,
    tellsAccounts = false,
    begins = true,
    { isNoted = true, isBare = false } = {},
  ) {
    this.vendor = new VendorModel(kind);
    this.rules = rules;
    this.tellsAccounts = tellsAccounts;
    const rotates = kind === "S" || kind === "G";
    this.connector = { ...connector, oauth2: { ...connector.oauth2, refreshToken: { rotates } } };
    // Otherwise the world begins without an instance: the id is reserved for a new connection.
    if (!begins) return;
    const token = this.vendor.signIn(this.families, "first");
    if (!isBare) this.known.add(token);
    const now = this.now - (this.now % 1_000);
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
      grant: this.seal(1, {
        tokenType: "bearer",
        ...(isBare
          ? { accessToken: `access-${token}-${now - 500}`, obtainedAt: now - 500 }
          : {
              accessToken: `access-${token}`,
              refreshToken: String(token),
              obtainedAt: now - TOKEN_LIFETIME_MS,
              expiresAt: now,
            }),
        obtainedBy: "exchange",
        client: { kind: "own", id: "client", secret: "secret" },
      }),
      enabled: true,
      ...(isBare ? { refreshable: false } : { dueAt: this.now }),
      refreshGroup: this.group,
      lastUsedAt: this.now,
      ...(tellsAccounts && isNoted ? { account: { id: "first" } } : {}),
    };
  }

  // ---- processes and time

  /** Starts a process; its work runs up to its first step. */
  start(
    name: string,
    work: (deps: WorldDeps, call: Call, transients: TransientStore) => Promise<unknown>,
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
    // A process may end with an error for its caller; violations are found in the world's state.
    void work(portsOf(this, process), call, transientsOf(this, process))
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
      if (vendorHadProcessed && !process.heard && this.mood === "well") {
        process.heard = true;
        this.log.push(
          `  the vendor had heard token ${process.sending} -> ${this.vendor.refresh(process.sending)}`,
        );
      }
      if (process.heard) this.excuse(process.sending, "a crash with the answer on its way");
    }
    if (process.inHand !== undefined) {
      this.known.delete(process.inHand);
      this.excuse(process.inHand, "a crash with an unsaved grant");
    }
    process.alive = false;
    process.finished = true;
    this.drop(process);
  }

  /**
   * Lets time pass, but not past events that happen on their own: a timer, or the answer of a store that is up. @returns
   * whether time moved
   */
  advance(ms: number): boolean {
    const limits = this.steps.flatMap(({ place, since }) =>
      (place === "table" && this.table) || (place === "bucket" && this.bucket)
        ? Math.max(this.now, since + STORE_ANSWER_MS)
        : [],
    );
    const timers = this.timers.map(({ at }) => at);
    const ends = this.processes.flatMap((process) =>
      process.finished ? [] : process.startedAt + process.lifetimeMs,
    );
    const target = Math.min(this.now + ms, ...limits, ...timers, ...ends);
    if (target < this.now) throw new Error("time ran backwards");
    const moved = target > this.now;
    this.now = target;
    const due = this.timers.filter(({ at }) => at <= target);
    this.timers = this.timers.filter(({ at }) => at > target);
    for (const { fire } of due) fire();
    for (const process of this.processes) {
      if (!process.finished && process.startedAt + process.lifetimeMs <= target) this.crash(process);
    }
    judgeLease(this);
    return moved || due.length > 0;
  }

  /** Waits until everything has happened that does not wait for a step or a timer. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  fault(place: "table" | "bucket", up: boolean): void {
    this[place] = up;
    this.log.push(`the ${place} ${up ? "is up again" : "goes down"}`);
    if (!up) this.failures.push({ place, at: this.now });
  }

  turn(mood: World["mood"]): void {
    this.mood = mood;
    this.log.push(`the vendor ${mood === "well" ? "is well again" : `${mood} from here`}`);
  }

  refuse(what: World["refuses"]): void {
    this.refuses = what;
    this.log.push(what === "none" ? "the table takes every grant again" : `the table refuses ${what}`);
  }

  /** The table's answer to a write of this grant. @throws {StoreRefused} */
  checkSize(process: Process, version: number | string, sealed: Uint8Array): void {
    const { extra } = this.unseal(version, sealed);
    if (this.refuses === "none" || (this.refuses === "members" && extra === undefined)) return;
    this.log.push("  refused for good");
    if (extra === undefined) {
      process.refused = this.tokenOf(version, sealed);
      this.hasRefused = true;
    }
    if (this.rules.tellRefusal) throw new StoreRefused("table", "it is too large", { tooLarge: true });
    throw new Error("the table fails");
  }

  // ---- what the invariants ask for

  tokenOf(version: number | string, sealed: Uint8Array): number {
    return Number(this.unseal(version, sealed).refreshToken);
  }

  /** `undefined`: there is no instance, or the instance has no token any more. */
  storedToken(): number | undefined {
    if (this.instance === undefined) return undefined;
    const token = this.tokenOf(this.instance.version, this.instance.grant);
    return Number.isNaN(token) ? undefined : token;
  }

  /** Whether a usable grant of the stored sign-in is in a store, or with a process, where the protocol will find it. */
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

  violate(text: string): void {
    this.violated ??= this.violation(text);
  }

  // ---- what ports and vendor do it with

  step<T>(process: Process, place: Place, label: string, writes: boolean, effect: () => T): Promise<T> {
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
            this.failures.push({ place, at: this.now });
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

  drop(process: Process): void {
    for (const step of this.steps.filter((each) => each.process === process)) {
      this.steps.splice(this.steps.indexOf(step), 1);
    }
    this.timers = this.timers.filter((timer) => timer.process !== process);
  }

  reading(process: Process, askedAt: number): { dateMs: number; monotonicMs: number } {
    return {
      dateMs: Math.floor(this.now / 1000) * 1000,
      monotonicMs: askedAt + process.monotonicOffset,
    };
  }

  readonly epochs = new Map<string, number>();

  /** Fixes the order of the sign-ins when the state is consumed, which is before the exchange. */
  newEpoch(name: string): string {
    this.families += 1;
    this.epochs.set(name, this.families);
    return `${String(this.families).padStart(15, "0")}-${name}`;
  }

  familyOf(process: Process): number {
    return this.epochs.get(process.name) ?? this.families;
  }

  seal(version: number, grant: Grant): Uint8Array {
    const place = { organizationId: ORGANIZATION, item: `instance/${this.id}`, field: "grant", version };
    return new TextEncoder().encode(JSON.stringify([place, JSON.stringify(grant)]));
  }

  unseal(version: number | string, sealed: Uint8Array): Grant {
    const [place, text] = JSON.parse(new TextDecoder().decode(sealed)) as [{ version: unknown }, string];
    if (place.version !== version) throw new Error(`sealed for version ${place.version}, not ${version}`);
    return JSON.parse(text) as Grant;
  }

  /** The token is in a store, so the process that had it may end. */
  saved(token: number): void {
    for (const process of this.processes) if (process.inHand === token) process.inHand = undefined;
  }

  /** A strict vendor ends a token that was rotated and lost; nothing can be done about that. */
  excuse(token: number, why: string): void {
    if (this.vendor.kind !== "S") return;
    const stored = this.storedToken();
    if (stored !== undefined && this.vendor.familyOf(token) !== this.vendor.familyOf(stored)) return;
    this.excused = why;
    this.log.push(`  (excused: ${why})`);
  }

  needsReauth(): boolean {
    return this.instance !== undefined && needsReauthentication(this.instance);
  }
}
