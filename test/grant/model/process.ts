export type Mode = "ok" | "fail" | "lost";
export type Place =
  | "table"
  | "bucket"
  | "vault"
  | "connect"
  | "vendor"
  | "answer"
  | "account"
  | "revoke"
  | "transients";

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

export interface Timer {
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
  /** At the vendor with this token. */
  sending: number | undefined;
  /** The vendor has acted on it; the answer is on its way. */
  heard = false;
  /** The vendor told it something of its token that was not so. */
  misled = false;
  /** The token of a grant that the table refused for good, without its members, too: it can only end. */
  refused: number | undefined;
  /** An account call of its own had no good answer. */
  untold = false;
  /** Its lease is to ask whether an access token without refresh token has ended. */
  probed = false;
  /** How often it said what became of it. */
  counted = 0;

  constructor(name: string, startedAt: number, lifetimeMs: number) {
    this.name = name;
    this.startedAt = startedAt;
    this.lifetimeMs = lifetimeMs;
    this.monotonicOffset = (name.length * 7919) % 100_000;
  }
}
