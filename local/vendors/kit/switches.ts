import type { Clock } from "../../clock.ts";

/** What a stand-in does that a vendor does only sometimes, or only with much data. */
export interface Switches {
  /**
   * Pages of lists with a token: `full`; `short`: at most 2 items, whatever size is asked for; `empty`: short
   * ones, and an empty page with a token before each of them.
   */
  readonly pages: "full" | "short" | "empty";
  /** API calls in a time; each further call answers 429 with Retry-After. */
  readonly rateLimit?: { readonly calls: number; readonly seconds: number } | undefined;
  /** How long an operation takes that the vendor only accepts at first, by the stand-in's clock. */
  readonly operationMs: number;
  /** How long the search does not find a new item or name, by the stand-in's clock. */
  readonly searchLagMs: number;
  /** Items, by name, that the vendor refuses to change or to read. */
  readonly refusals: readonly { readonly name: string; readonly action: ItemAction }[];
}

export type ItemAction = "read" | "write" | "copy" | "move" | "delete";

const OFF: Switches = { pages: "full", operationMs: 0, searchLagMs: 0, refusals: [] };

/** The switches of one stand-in. Tests and the console change them while it runs; a restart turns them off. */
export class SwitchBoard {
  #state: Switches = OFF;
  readonly #clock: Clock;
  #window = { start: 0, calls: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): Switches {
    return this.#state;
  }

  /** Changes the given switches only. */
  set(changes: Partial<Switches>): void {
    this.#state = { ...this.#state, ...changes };
    this.#window = { start: 0, calls: 0 };
  }

  reset(): void {
    this.#state = OFF;
  }

  isRefused(name: string, action: ItemAction): boolean {
    return this.#state.refusals.some((each) => each.name === name && each.action === action);
  }

  /** Counts an API call. 0: the call is within the limit. */
  secondsUntilNextCall(): number {
    const { rateLimit } = this.#state;
    if (rateLimit === undefined) return 0;
    const now = this.#clock.now();
    const windowMs = rateLimit.seconds * 1000;
    if (this.#window.start + windowMs <= now) this.#window = { start: now, calls: 0 };
    this.#window.calls += 1;
    if (this.#window.calls <= rateLimit.calls) return 0;
    return Math.max(1, Math.ceil((this.#window.start + windowMs - now) / 1000));
  }
}
