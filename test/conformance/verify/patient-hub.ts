import { setTimeout } from "node:timers/promises";
import { HubClient, type HubRequest } from "../hub-client.ts";

/** How the message of an error begins that is about a rate limit, and not about a difference. */
export const RATE_LIMIT = "rate limit: ";

/**
 * A client that waits when the vendor limits its calls: as long as `Retry-After` says, and in all tests together no longer than
 * `patienceMs`.
 */
export class PatientHub extends HubClient {
  readonly #before: (() => Promise<unknown>)[] = [];
  #patienceMs: number;

  constructor(baseUrl: string, token: string, patienceMs: number) {
    super(baseUrl, token);
    this.#patienceMs = patienceMs;
  }

  /** Does this before the next call: preparations of a test that does not wait for them. */
  prepare(work: () => Promise<unknown>): void {
    this.#before.push(work);
  }

  /** @throws {Error} the patience is at its end */
  override async open(method: string, path: string, request: HubRequest = {}): Promise<Response> {
    for (let work = this.#before.shift(); work !== undefined; work = this.#before.shift()) await work();
    for (;;) {
      const response = await super.open(method, path, request);
      if (response.status !== 429) return response;
      await response.body?.cancel();
      const seconds = Math.max(1, Number(response.headers.get("retry-after")) || 10);
      if (seconds * 1000 > this.#patienceMs)
        throw new Error(`${RATE_LIMIT}the vendor asks to wait ${seconds} s more`);
      this.#patienceMs -= seconds * 1000;
      console.log(`The vendor limits the rate: waits ${seconds} s.`);
      await setTimeout(seconds * 1000);
    }
  }
}
