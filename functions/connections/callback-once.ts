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
 * How long the result of a callback is kept, in milliseconds. A browser that repeats the callback within this
 * time gets the same redirect.
 */
const KEPT_MS = 10 * 60_000;
/**
 * How long a result is kept if a later delivery may try again. Two simultaneous deliveries arrive within this
 * time.
 */
const KEPT_BEFORE_RETRY_MS = 5_000;
/** Longest run of the function. A callback that began earlier than this and has no result was cut off. */
const LONGEST_RUN_MS = 130_000;
/** Time between two reads of the result while another invocation handles the callback, in milliseconds. */
const LOOK_MS = 400;
/** Part of the invocation's time that is reserved for the answer, in milliseconds. */
const RESERVE_MS = 3_000;

/** The stored result of a callback: item `callback#<hash of the state>`. */
export interface KeptCallback extends TransientItem {
  readonly status: "running" | "done";
  /**
   * Id of the delivery that does the work. By this id a delivery recognizes its own item when the SDK repeats
   * a put.
   */
  readonly delivery: string;
  readonly startedAt: number;
  readonly organizationId: string;
  readonly sessionId: string;
  /** Connector key. */
  readonly connector: string;
  /** Hash of the cookie of the session's browser. */
  readonly browser: string;
  /** The URL to which the browser was sent, including the claim. */
  readonly location?: Sealed;
}

/** The stored callback for this state: still running, or done. */
export async function keptCallback(
  { transients }: Pick<ConnectionDeps, "transients">,
  state: string,
): Promise<KeptCallback | undefined> {
  return await transients.get<KeptCallback>(itemOf(state));
}

/** The URL to which a delivery sends the browser. */
export interface Destination {
  readonly location: string;
  /**
   * True: the code may still be unused, so the next delivery of the same callback, some seconds later, tries
   * again.
   */
  readonly mayTryAgain: boolean;
}

/**
 * Does the work of a callback for the first delivery of its state, and sends each other delivery to the same
 * URL: browsers repeat a request whose answer was cut off, and some send the request twice at once.
 * @throws {Unavailable} another delivery was cut off, or is still working when this invocation ends
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

/**
 * Stores the result. If that fails, only repeated deliveries are affected: they get the error of an
 * interrupted sign-in.
 */
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
 * The URL to which another delivery of this state sends the browser. Waits while that delivery is working.
 * @throws {Unavailable} the other delivery was cut off, or works longer than this invocation lasts
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
