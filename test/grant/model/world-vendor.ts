import { Readable } from "node:stream";
import type { TokenOutcome } from "../../../functions/core/oauth/ports.ts";
import type { VendorResponse } from "../../../functions/core/vendor-http.ts";
import { judgeSend } from "./invariants.ts";
import type { Process, Timer } from "./process.ts";
import { TOKEN_LIFETIME_MS, type World } from "./world.ts";

export async function refreshAtVendor(
  world: World,
  process: Process,
  request: { refreshToken: string; timeoutMs: number; beforeSend: () => void },
): Promise<TokenOutcome> {
  const token = Number(request.refreshToken);
  try {
    await world.step(process, "connect", "connects to the vendor", false, () => {
      try {
        request.beforeSend();
      } catch (error) {
        if (world.rules.checkBeforeSend) throw error;
      }
      judgeSend(world, process, token);
      process.sending = token;
      process.heard = false;
    });
  } catch {
    return { kind: "never_sent", reason: "no connection" };
  }
  const outcome = await answered<TokenOutcome>(world, process, request.timeoutMs, async () => {
    let got: number;
    const told: { mood: World["mood"] } = { mood: "well" };
    try {
      got = await world.step(process, "vendor", `is heard by the vendor with token ${token}`, true, () => {
        told.mood = world.mood;
        if (told.mood !== "well") {
          world.log.push(`  -> the vendor ${told.mood}`);
          return 0;
        }
        const next = world.vendor.refresh(token);
        world.log.push(`  -> ${next === 0 ? "invalid_grant" : `token ${next}`}`);
        process.heard = true;
        return next;
      });
    } catch {
      // `lost`: the vendor has acted on the token; `fail`: it has not.
      if (process.heard) world.excuse(token, "an answer of the vendor was lost");
      process.sending = undefined;
      return { kind: "unknown", reason: "reset" };
    }
    const late: TokenOutcome = { kind: "unknown", reason: "the answer was lost" };
    try {
      await world.step(process, "answer", "gets the vendor's answer", false, () => {
        process.sending = undefined;
        process.misled = told.mood !== "well" && world.vendor.isUsable(token);
        if (told.mood === "refuses") noteRefusal(world, process);
        if (got === 0) return;
        process.inHand = got;
        process.inHandSince = world.now;
        world.known.add(got);
      });
    } catch {
      process.sending = undefined;
      world.excuse(token, "an answer of the vendor was lost");
      return late;
    }
    if (told.mood === "refuses") return { kind: "refused", status: 400, error: "invalid_request" };
    if (got === 0) return { kind: "invalid_grant", error: "invalid_grant" };
    const grant = granted(world, token, got);
    if (world.unusable === 0) return grant;
    world.unusable--;
    world.log.push(`  -> ${got} comes with an access token of no use`);
    return world.rules.keepRotated
      ? { ...grant, kind: "unusable" }
      : { kind: "unknown", reason: "an answer that cannot be read" };
  });
  if (outcome !== undefined) return outcome;
  if (process.heard) world.excuse(token, "the vendor's answer came after our patience");
  process.sending = undefined;
  return { kind: "unknown", reason: "timeout" };
}

function noteRefusal(world: World, { lease }: Process): void {
  if (lease === undefined) return;
  const before = world.refused?.version === lease.version ? world.refused : undefined;
  world.refused = {
    version: lease.version,
    count: (before?.count ?? 0) + 1,
    since: before?.since ?? world.now,
  };
}

/** `undefined`: our timeout ended first; the steps that were still to come are dropped. */
async function answered<T>(
  world: World,
  process: Process,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return await new Promise<T | undefined>((resolve) => {
    const timer: Timer = {
      at: world.now + timeoutMs,
      process,
      fire: () => {
        world.log.push(`${process.name}: its patience with the vendor ends`);
        for (const step of world.steps.filter(
          (each) => each.process === process && (each.place === "vendor" || each.place === "answer"),
        )) {
          world.steps.splice(world.steps.indexOf(step), 1);
        }
        resolve(undefined);
      },
    };
    world.timers.push(timer);
    void work().then((value) => {
      world.timers = world.timers.filter((each) => each !== timer);
      resolve(value);
    });
  });
}

function granted(world: World, sent: number, got: number): Extract<TokenOutcome, { kind: "granted" }> {
  return {
    kind: "granted",
    response: {
      accessToken: `access-${got}-${world.now}`,
      tokenType: "bearer",
      expiresInMs: TOKEN_LIFETIME_MS,
      extra: { session: "what the vendor adds of its own" },
      ...(got === sent ? {} : { refreshToken: String(got) }),
    },
  };
}

/** X and Y sign in with another account than the other actors, if the vendor names accounts. */
function accountSignedIn(world: World, { name }: Process): string {
  return world.tellsAccounts && /^[XY]/.test(name) ? "other" : "first";
}

/** T and I sign in at a vendor that gives the refresh token only once, and so gives none now. */
async function exchangeWithout(world: World, process: Process): Promise<TokenOutcome> {
  const first = world.vendor.all()[0] ?? 0;
  await world.step(process, "answer", "exchanges its code, for no refresh token", true, () => undefined);
  return granted(world, first, first);
}

export async function exchangeAtVendor(world: World, process: Process): Promise<TokenOutcome> {
  try {
    if (/^[TI]/.test(process.name)) return await exchangeWithout(world, process);
    const token = await world.step(process, "answer", "exchanges its code", true, () => {
      const got = world.vendor.signIn(world.familyOf(process), accountSignedIn(world, process));
      world.log.push(`  -> token ${got} of family ${world.vendor.familyOf(got)}`);
      return got;
    });
    process.inHand = token;
    process.inHandSince = world.now;
    world.known.add(token);
    return granted(world, 0, token);
  } catch {
    return { kind: "unknown", reason: "the answer was lost" };
  }
}

/** How long it may take until all of the vendor's servers know a new access token. */
const KNOWN_MS = 5_000;

/**
 * An account call. About half of the access tokens are refused while they are new, in the same words as an ended one; all are
 * refused when they have expired.
 */
export async function accountAtVendor(
  world: World,
  process: Process,
  authorization: string,
): Promise<VendorResponse> {
  const { untold } = process;
  process.untold = true;
  return await world.step(process, "account", `asks whose ${authorization} is`, false, () => {
    const [, token, at] = authorization.split("-").map(Number);
    const { age, isSlow } = ageOf(world, at);
    const isRefused = age >= TOKEN_LIFETIME_MS || (isSlow && age < KNOWN_MS);
    if (isRefused) world.log.push("  -> refused");
    else process.untold = untold;
    const body = JSON.stringify(isRefused ? {} : { id: world.vendor.accountOf(token ?? 0) });
    return {
      status: isRefused ? 401 : 200,
      headers: isRefused ? { "www-authenticate": 'Bearer error="invalid_token"' } : {},
      rawHeaders: [],
      body: Readable.from([Buffer.from(body)]),
      url: "",
    };
  });
}

/**
 * The age of an access token, by the time when it was issued. That of the first token is unknown; it counts as old enough.
 */
export function ageOf(world: World, at = Number.NaN): { age: number; isSlow: boolean } {
  if (Number.isNaN(at)) return { age: KNOWN_MS, isSlow: false };
  return { age: world.now - at, isSlow: at % 1_000 >= 500 };
}
