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

/** A call for which a process waits: nothing happens before the scheduler runs it. */
export interface Step {
  readonly process: Process;
  readonly place: Place;
  readonly label: string;
  /** The call writes: it may be done though its answer is lost. */
  readonly writes: boolean;
  readonly since: number;
  run(mode: Mode): void;
}

export interface Timer {
  readonly at: number;
  readonly process: Process;
  readonly fire: () => void;
}

/** One invocation of one function, with its own clocks; it can crash at any step. */
export class Process {
  readonly name: string;
  readonly startedAt: number;
  readonly lifetimeMs: number;
  readonly monotonicOffset: number;
  alive = true;
  finished = false;
  /** The last lease that the process took, as the table has it. */
  lease: { version: number; fence: number; epoch: string; until: number } | undefined;
  /** A token from the vendor that is not in any store yet. */
  inHand: number | undefined;
  inHandSince = 0;
  /** The token that the process has sent to the vendor. */
  sending: number | undefined;
  /** The vendor has acted on the token; its answer is not there yet. */
  heard = false;
  /** The vendor gave a wrong answer about the token. */
  misled = false;
  /** The token of a grant that the table refused for good, even without its members: the grant can only be ended. */
  refused: number | undefined;
  /** The process's own account call had no good answer. */
  untold = false;
  /** The process took its lease to ask whether an access token without a refresh token has ended. */
  probed = false;
  /** How many outcomes the process has reported. */
  counted = 0;

  constructor(name: string, startedAt: number, lifetimeMs: number) {
    this.name = name;
    this.startedAt = startedAt;
    this.lifetimeMs = lifetimeMs;
    this.monotonicOffset = (name.length * 7919) % 100_000;
  }
}
