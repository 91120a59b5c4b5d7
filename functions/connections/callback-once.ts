import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Unavailable } from "../core/errors.ts";
import type { Sealed } from "../core/instances/instance.ts";
import { hashSecret } from "../core/secret-hash.ts";
import type { TransientItem } from "../core/transients.ts";
import type { SealedPlace } from "../core/vault/ports.ts";
import type { HttpRequest } from "../http/request.ts";
import type { ConnectionDeps } from "./deps.ts";

/**
 * How long a callback's result is kept, in milliseconds: if a browser repeats the callback in this time, it gets the same
 * redirect.
 */
const KEPT_MS = 10 * 60_000;
/** How long a result is kept if a later delivery may try again; two deliveries at once arrive within this time. */
const KEPT_BEFORE_RETRY_MS = 5_000;
/** No function runs longer: a callback that began before that and left no result was cut off. */
const LONGEST_RUN_MS = 130_000;
/** Between two looks at a callback that another invocation works on, in milliseconds. */
const LOOK_MS = 400;
/** Left for the answer itself, in milliseconds. */
const RESERVE_MS = 3_000;

/** What one delivery of a callback came to: `callback#<hash of the state>`. */
export interface KeptCallback extends TransientItem {
  readonly status: "running" | "done";
  /** Id of the delivery that does the work. Shows that an item is our own when the SDK repeats a put whose answer was lost. */
  readonly delivery: string;
  readonly startedAt: number;
  readonly organizationId: string;
  readonly sessionId: string;
  /** Connector key. */
  readonly connector: string;
  /** Hash of the cookie of the session's browser. */
  readonly browser: string;
  /** Where the browser was sent to, the claim included. */
  readonly location?: Sealed;
}

/** The stored callback for this state: still running, or done. */
export async function keptCallback(
  { transients }: Pick<ConnectionDeps, "transients">,
  state: string,
): Promise<KeptCallback | undefined> {
  return await transients.get<KeptCallback>(itemOf(state));
}

/** Where a delivery sends the browser. */
export interface Destination {
  readonly location: string;
  /** The vendor did nothing with the code: the next delivery of the same callback, some seconds later, tries again. */
  readonly mayTryAgain: boolean;
}

/**
 * Does the work of a callback for the first delivery of its state, and sends each other delivery to the same place: browsers
 * repeat a request whose answer was cut, and some deliver it twice at once.
 * @throws {Unavailable} another delivery was cut off in the middle, or is still at work when this invocation ends
 */
export async function onceForState(
  deps: Pick<ConnectionDeps, "transients" | "grants">,
  request: Pick<HttpRequest, "remainingMs">,
  state: string,
  owner: Pick<KeptCallback, "organizationId" | "sessionId" | "connector" | "browser">,
  work: () => Promise<Destination>,
): Promise<string> {
  const { transients } = deps;
  const now = transients.now();
  const running: KeptCallback = {
    ...owner,
    id: itemOf(state),
    status: "running",
    delivery: randomUUID(),
    startedAt: now,
    expiresAt: now + KEPT_MS,
  };
  if (!(await transients.put(running))) {
    const first = await keptCallback(deps, state);
    if (first !== undefined && first.delivery !== running.delivery)
      return await sameLocation(deps, request, first, state);
  }
  const forget = () => transients.remove(running.id).catch(() => {});
  let to: Destination;
  try {
    to = await work();
  } catch (error) {
    await forget();
    throw error;
  }
  await keep(deps, running, state, to);
  return to.location;
}

/** If the result cannot be kept, only a repeated delivery suffers: it gets no answer. */
async function keep(
  { transients, grants }: Pick<ConnectionDeps, "transients" | "grants">,
  running: KeptCallback,
  state: string,
  to: Destination,
): Promise<void> {
  try {
    const location = await grants.vault.seal(placeOf(running, state), to.location);
    const done: KeptCallback = {
      ...running,
      status: "done",
      location,
      expiresAt: transients.now() + (to.mayTryAgain ? KEPT_BEFORE_RETRY_MS : KEPT_MS),
    };
    await transients.replace<KeptCallback>(done, { field: "delivery", seen: running.delivery });
  } catch (error) {
    const reason = error instanceof Error ? error.name : "unknown";
    console.error(
      JSON.stringify({ level: "warn", message: "the result of a callback was not kept", reason }),
    );
  }
}

/**
 * Where another delivery of this state sends the browser; waits while that one is at work.
 * @throws {Unavailable} it was cut off, or takes longer than this invocation lasts
 */
export async function sameLocation(
  deps: Pick<ConnectionDeps, "transients" | "grants">,
  request: Pick<HttpRequest, "remainingMs">,
  first: KeptCallback,
  state: string,
): Promise<string> {
  let seen: KeptCallback | undefined = first;
  while (seen?.status === "running") {
    const isCutOff = deps.transients.now() - seen.startedAt > LONGEST_RUN_MS;
    if (isCutOff || request.remainingMs() < RESERVE_MS + LOOK_MS) break;
    await setTimeout(LOOK_MS);
    seen = await keptCallback(deps, state);
  }
  if (seen?.location !== undefined) return await deps.grants.vault.open(placeOf(seen, state), seen.location);
  throw new Unavailable("This sign-in was interrupted. Go back to the app, and sign in again");
}

function itemOf(state: string): string {
  return `callback#${hashSecret(state)}`;
}

function placeOf({ organizationId }: Pick<KeptCallback, "organizationId">, state: string): SealedPlace {
  return { organizationId, item: `callback/${hashSecret(state)}`, field: "location" };
}
