import type { InstanceEvent } from "../../../functions/core/grant/instance-event.ts";
import type { Instance } from "../../../functions/core/instances/instance.ts";
import type { Process } from "./process.ts";
import { FIRST_EPOCH, TOKEN_LIFETIME_MS, type World } from "./world.ts";
import { MODEL_TIMING } from "./world-ports.ts";
import { ageOf } from "./world-vendor.ts";

// Judgements while a scenario runs; the numbers are those of the invariants in docs/grant-life.md. Those at the end are in
// scenario.ts.

export function judgeSend(world: World, process: Process, token: number): void {
  const { instance } = world;
  const mine = process.lease;
  if (instance === undefined || instance.deleting === true || mine === undefined) return;
  if (mine.epoch !== instance.epoch || world.residue) return;
  const held = instance.until !== undefined && instance.until >= Math.floor(world.now / 1000) * 1000;
  if (held && instance.fence !== mine.fence && instance.version === mine.version) {
    world.violate(`1: ${process.name} sends token ${token} while another holds the lease`);
  }
  const rivals = world.processes.filter(
    (other) =>
      other !== process && !other.finished && other.sending === token && other.lease?.epoch === mine.epoch,
  );
  if (rivals.length > 0)
    world.violate(`1: ${process.name} sends token ${token} while ${rivals[0]?.name} does`);
  if (world.vendor.kind === "N") return;
  if (instance.version !== mine.version) {
    world.violate(`2: ${process.name} sends token ${token} though version ${instance.version} is committed`);
  }
  for (const record of world.records.values()) {
    if (record.kind !== "refresh" || record.epoch !== instance.epoch) continue;
    if (record.baseVersion === mine.version && world.tokenOf(record.fence, record.grant) > token) {
      world.violate(`2: ${process.name} sends token ${token} though a newer one lies in the rescue bucket`);
    }
  }
}

export function judgeCommit(world: World, process: Process, instance: Instance, token: number): void {
  const stored = world.storedToken();
  if (stored === undefined || world.residue) return;
  const [newer, older] = [world.vendor.familyOf(token), world.vendor.familyOf(stored)];
  if (newer < older || (newer === older && token < stored)) {
    world.violate(`3: ${process.name} overwrites token ${stored} by the older ${token}`);
  }
  if (instance.deleting === true) world.violate(`3: ${process.name} commits onto what is being deleted`);
}

/** A grant may be given up only when neither store has accepted anything since the process got the grant. */
export function judgeLoss(world: World, process: Process): void {
  const { inHand, inHandSince } = process;
  const failed = (place: "table" | "bucket"): boolean =>
    !world[place] || world.failures.some((failure) => failure.place === place && failure.at >= inHandSince);
  if (process.refused !== undefined) {
    world.excuse(process.refused, "the table refused it for good");
  } else if (!failed("table") || !failed("bucket")) {
    world.violate(`4: ${process.name} gives up what it carries though a store would have taken it`);
  }
  if (inHand !== undefined) world.known.delete(inHand);
  process.inHand = undefined;
}

/**
 * A grant may be unsaved past its lease only when both stores failed during that time; anything else breaks the lease's
 * promise.
 */
export function judgeLease(world: World): void {
  for (const process of world.processes) {
    const { lease, inHand, inHandSince, finished } = process;
    // A sign-in or a delete has won already: the grant only has to be revoked.
    const { instance } = world;
    if (instance === undefined || instance.deleting === true || instance.epoch !== lease?.epoch) continue;
    // A grant that the table refuses for good only has to be revoked too, unless the refusal cannot be recognized.
    if (world.rules.tellRefusal && inHand !== undefined && process.refused === inHand) continue;
    if (finished || inHand === undefined || lease === undefined || world.now <= lease.until) continue;
    const failed = (place: "table" | "bucket"): boolean =>
      !world[place] || world.failures.some((failure) => failure.place === place && failure.at >= inHandSince);
    if (failed("table") && failed("bucket")) {
      if (!world.residue) world.log.push("  (residue: both stores fail past the lease)");
      world.residue = true;
      world.excused = "both stores were down past the lease";
    } else if (!world.residue) {
      world.violate(`1: ${process.name} still carries token ${inHand} though its lease ran out`);
    }
  }
}

/** A hosted sign-in's grant is not used before the right user has claimed it, and a refused one is never used. */
export function judgeClaimed(world: World, process: Process, epoch: string): void {
  const [, name = ""] = epoch.split("-");
  if (!/^[HIN]/.test(name)) return;
  if (!world.claims.has(name)) world.violate(`13: ${process.name} lets ${name} go live before its claim`);
  if (world.refusals.has(name))
    world.violate(`13: ${process.name} lets ${name} go live though it was refused`);
}

/** A sign-in without a refresh token, of the same account, must not throw the valid refresh token away. */
export function judgeCarry(
  world: World,
  process: Process,
  { account: noted, deadVersion, version, refreshGroup }: Instance,
  signedIn: Instance["account"],
): void {
  const stored = world.storedToken();
  if (stored === undefined || deadVersion === version || refreshGroup !== world.group) return;
  const askable = world.tellsAccounts && !process.untold;
  const account = noted ?? (askable ? { id: world.vendor.accountOf(stored) } : undefined);
  if (account === undefined || account.id !== signedIn?.id) return;
  world.violate(`4: ${process.name} signs in without a refresh token, and throws token ${stored} away`);
}

/** A refresh is forced at most once a minute, whoever forces it. */
export function judgeForced(world: World, process: Process, forcedAt: number): void {
  const { lastForcedAt } = world;
  if (lastForcedAt !== undefined && forcedAt - lastForcedAt < MODEL_TIMING.forcedMs) {
    world.violate(`12: ${process.name} forces a refresh ${forcedAt - lastForcedAt} ms after another one`);
  }
  world.lastForcedAt = forcedAt;
}

/**
 * A grant may be marked dead only if the vendor called it dead, or refused it for long. If the vendor was wrong, a revival
 * repairs that.
 */
export function judgeDeath(world: World, process: Process, instance: Instance, reason: string): void {
  if (reason === "refused") {
    const { refused } = world;
    const wasRefused =
      refused?.version === instance.version &&
      refused.count >= MODEL_TIMING.refusedTries &&
      world.now - refused.since >= MODEL_TIMING.refusedMs - 4_000;
    if (!wasRefused) world.violate(`5: ${process.name} gives up what was not refused for long`);
    return;
  }
  if (reason === "token_refused") {
    const { accessToken } = world.unseal(instance.version, instance.grant);
    const { age } = ageOf(world, Number(accessToken.split("-")[2]));
    if (age < TOKEN_LIFETIME_MS)
      world.violate(`5: ${process.name} ends access token ${accessToken}, which lives`);
    return;
  }
  if (!process.misled && !world.residue && world.isRecoverable()) {
    world.violate("5: needs_reauth is written though a usable grant is at hand");
  }
}

/** A dead grant's tokens are kept for their time; a valid grant's tokens are never deleted. */
export function judgeEmptying(
  world: World,
  process: Process,
  instance: Instance,
  seen: { readonly version: number },
): void {
  const { death, version } = instance;
  if (!world.needsReauth() || version !== seen.version) {
    world.violate(`4: ${process.name} takes the tokens out of a grant that lives`);
    return;
  }
  if (death === undefined || world.now + 2_000 - death.at < MODEL_TIMING.keepDeadMs) {
    world.violate(`4: ${process.name} takes away what a dead grant holds before its time`);
  }
  const token = world.storedToken();
  if (token === undefined) return;
  world.known.delete(token);
  world.excused = "it lay dead for its time";
}

/** Nothing happens between a write and its event, so the table must hold what the event says. */
export function judgeEvent(world: World, process: Process, { name }: InstanceEvent): void {
  const { instance } = world;
  world.log.push(`${process.name}: tells ${name}`);
  const holds: Partial<Record<InstanceEvent["name"], boolean>> = {
    "instance.needs_reauth": world.needsReauth(),
    "instance.revived": !world.needsReauth(),
    "instance.disabled": instance?.enabled === false,
    "instance.enabled": instance?.enabled === true,
    "instance.deleted": instance === undefined,
    "instance.reauthenticated": instance !== undefined && instance.epoch !== FIRST_EPOCH,
  };
  if (holds[name] === false) world.violate(`10: ${process.name} tells ${name}, which is not written`);
}
