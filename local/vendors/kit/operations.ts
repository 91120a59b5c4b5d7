import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import type { SwitchBoard } from "./switches.ts";

/** Work that the vendor accepts first and does later. */
export interface Operation {
  readonly id: string;
  readonly login: string;
  readonly startedAt: number;
  readonly endsAt: number;
  state: { kind: "running" } | { kind: "done"; result: unknown } | { kind: "failed"; error: unknown };
}

const MAX_OPERATIONS = 1000;

/** The operations of one stand-in. They take as long as the switch `operationMs` says; a restart loses them. */
export class Operations {
  readonly #clock: Clock;
  readonly #switches: SwitchBoard;
  readonly #operations = new Map<string, { operation: Operation; work: () => unknown }>();

  constructor(clock: Clock, switches: SwitchBoard) {
    this.#clock = clock;
    this.#switches = switches;
  }

  /** `work` runs at the end of the operation's time; what it throws is the operation's failure. */
  start(login: string, work: () => unknown): Operation {
    const startedAt = this.#clock.now();
    const endsAt = startedAt + this.#switches.state.operationMs;
    const operation: Operation = { id: randomUUID(), login, startedAt, endsAt, state: { kind: "running" } };
    this.#operations.set(operation.id, { operation, work });
    const [oldest] = this.#operations.keys();
    if (this.#operations.size > MAX_OPERATIONS && oldest !== undefined) this.#operations.delete(oldest);
    this.settle();
    return operation;
  }

  find(id: string): Operation | undefined {
    this.settle();
    return this.#operations.get(id)?.operation;
  }

  /** From 0 to 100. */
  percentOf({ startedAt, endsAt, state }: Operation): number {
    if (state.kind !== "running") return 100;
    return Math.floor(((this.#clock.now() - startedAt) / (endsAt - startedAt)) * 100);
  }

  /** Does the work of the operations whose time is over; the kit calls this before each API call. */
  settle(): void {
    const now = this.#clock.now();
    for (const { operation, work } of this.#operations.values()) {
      if (operation.state.kind !== "running" || operation.endsAt > now) continue;
      try {
        operation.state = { kind: "done", result: work() };
      } catch (error) {
        operation.state = { kind: "failed", error };
      }
    }
  }
}
