import type { EndpointKind, StandInFault } from "../stand-in.ts";

/** Faults that tests asked for, oldest first. */
export class Faults {
  #waiting: { fault: StandInFault; left: number }[] = [];

  add(fault: StandInFault): void {
    if (this.#waiting.length >= 1000) throw new RangeError("1000 faults are already waiting");
    this.#waiting.push({ fault, left: fault.count ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Returns the first fault that matches this request, and lowers the fault's count by one. */
  take(method: string, path: string, endpoint: EndpointKind): StandInFault | undefined {
    const found = this.#waiting.find(
      ({ fault }) =>
        path.startsWith(fault.path ?? "") &&
        (fault.method === undefined || fault.method === method) &&
        (fault.endpoint === undefined || fault.endpoint === endpoint),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#waiting = this.#waiting.filter((each) => each !== found);
    return found.fault;
  }
}
