import { setEnabled } from "../../../functions/core/grant/enable.ts";
import type { Call, WorkerDeps } from "../../../functions/core/grant/grant-deps.ts";
import { resealInstance } from "../../../functions/core/grant/operator/reseal-instance.ts";
import { claimSignIn } from "../../../functions/core/grant/pending/claim-sign-in.ts";
import { holdSignIn } from "../../../functions/core/grant/pending/hold-sign-in.ts";
import { refusePending } from "../../../functions/core/grant/pending/refuse-pending.ts";
import { settlePending } from "../../../functions/core/grant/pending/settle-pending.ts";
import {
  currentAccessToken,
  forceRefresh,
  tokenAfterUnauthorized,
} from "../../../functions/core/grant/refresh/access-token.ts";
import { refreshGrant } from "../../../functions/core/grant/refresh/refresh.ts";
import { settleRescueRecord } from "../../../functions/core/grant/rescue/rescue-worker.ts";
import { markForDeletion } from "../../../functions/core/grant/revocation/delete-instance.ts";
import { refreshDue } from "../../../functions/core/grant/schedule/refresh-due.ts";
import { signInAgain } from "../../../functions/core/grant/sign-in/sign-in.ts";
import { isRevivable } from "../../../functions/core/grant/store/death.ts";
import type { PendingKey } from "../../../functions/core/instances/pending-sign-in.ts";
import type { Mode, Process, Step } from "./process.ts";
import type { Rules } from "./rules.ts";
import type { VendorKind } from "./vendor-model.ts";
import { World } from "./world.ts";

/**
 * The actors. R: a refresher. J: a caller. U: a caller whose token the vendor refused. S: the scheduled worker. W: a rescue
 * worker. Q: a sign-in; X: one with another account; Y: one with another account that is accepted. D: a delete. E: disable
 * and enable. K: an operator who re-seals after a rotation of the data key. F: an app that forces a refresh; O: its owner who
 * does. V: an operator who revives a dead grant. H: a hosted sign-in; N: one that creates a new connection: once their users
 * are back, claims come, for the right end user and for another one, and workers for pending sign-ins. T: a sign-in and I: a
 * hosted one whose answers have no refresh token.
 */
export type Actor =
  | "R"
  | "J"
  | "U"
  | "S"
  | "W"
  | "Q"
  | "X"
  | "Y"
  | "D"
  | "E"
  | "K"
  | "F"
  | "O"
  | "V"
  | "H"
  | "N"
  | "T"
  | "I";

export interface Scenario {
  readonly vendor: VendorKind;
  /** The vendor names the account of a token. */
  readonly tellsAccounts: boolean;
  /** The account was stored when the instance was created, if the vendor names it. */
  readonly isNoted: boolean;
  /** The first grant, half a second old, has no refresh token. */
  readonly isBare: boolean;
  /** There is no instance at first: the first actor is N, who connects. */
  readonly beginsWithout: boolean;
  readonly actors: readonly Actor[];
  /** The actors mostly come one after the other; otherwise together. */
  readonly inTurn: boolean;
  /** How many things may go wrong. */
  readonly faults: number;
  /** The vendor's mood at first (World.mood), and how often it may change for the worse. */
  readonly mood: World["mood"];
  readonly turns: number;
  /** How many of the first refreshes bring an access token that no header can carry. */
  readonly unusable?: number;
  /** Which new grants the table may begin to refuse for good. */
  readonly refuses: World["refuses"];
  /** Which of the possible actions comes next; when the choices run out, faults stop and the rest happens in order. */
  readonly choices: readonly number[];
}

/** Weights of a new actor and of passing time. When actors come in turn, these are lower while a process works. */
const IDLE = { comes: 3, passes: 1 };
const BUSY = { comes: 0.2, passes: 0.2 };

interface Action {
  readonly weight: number;
  act(): void;
}

/** Runs a scenario to its end and beyond: faults stop, workers visit, and everything must be in order. @throws {Violation} */
export async function play(scenario: Scenario, rules?: Rules): Promise<World> {
  const { vendor, tellsAccounts, beginsWithout, isNoted, isBare } = scenario;
  const world = new World(vendor, rules, tellsAccounts, !beginsWithout, { isNoted, isBare });
  world.mood = scenario.mood;
  world.unusable = scenario.unusable ?? 0;
  const waiting: Actor[] = [...(scenario.beginsWithout ? (["N"] as const) : []), ...scenario.actors];
  let faults = scenario.faults;
  let turns = scenario.turns;
  const spend = (cost: number): void => {
    faults -= cost;
  };
  const turn = (mood: World["mood"]): void => {
    turns -= mood === "well" ? 0 : 1;
    world.turn(mood);
  };

  for (const choice of scenario.choices) {
    await world.settle();
    judge(world);
    const isBusy = scenario.inTurn && world.processes.some(({ finished }) => !finished);
    const actions = possible(world, waiting, isBusy ? BUSY : IDLE, { ...scenario, faults }, spend);
    if (world.mood !== "well") actions.push({ weight: 1, act: () => turn("well") });
    else if (turns > 0 && actions.length > 0) {
      for (const mood of ["lies", "refuses"] as const) actions.push({ weight: 3, act: () => turn(mood) });
    }
    if (actions.length === 0) break;
    pick(actions, choice).act();
  }
  await recover(world, waiting);
  judgeEnd(world, scenario);
  return world;
}

function pick(actions: readonly Action[], choice: number): Action {
  const total = actions.reduce((sum, { weight }) => sum + weight, 0);
  let rest = choice % total;
  for (const action of actions) {
    rest -= action.weight;
    if (rest < 0) return action;
  }
  throw new Error("a choice beyond all actions");
}

function possible(
  world: World,
  waiting: Actor[],
  { comes, passes }: typeof IDLE,
  { faults, refuses }: Pick<Scenario, "faults" | "refuses">,
  spend: (cost: number) => void,
): Action[] {
  const actions: Action[] = [];
  const add = (weight: number, act: () => void): void => {
    actions.push({ weight, act });
  };
  const next = waiting[0];
  if (next !== undefined && world.table) {
    add(comes, () => {
      waiting.shift();
      enter(world, next);
    });
  }
  for (const [session, found] of world.sessions) {
    if (found.tries === MOST_TRIES || !world.table) continue;
    const of = (letter: string): string => `${letter}${world.processes.length}-${session}`;
    if (found.status === "connected") add(3, () => enterClaim(world, of("C"), session));
    if (found.status === "connected") add(1, () => enterRefusal(world, of("V"), session));
    if (world.pendings.has(session)) {
      add(1, () => {
        found.tries += 1;
        enterSettling(world, of("P"), session);
      });
    }
  }
  for (const step of world.steps) {
    for (const [mode, weight] of modes(world, step, faults)) {
      add(weight, () => {
        if (mode !== "ok" && isUp(world, step)) spend(1);
        step.run(mode);
      });
    }
  }
  for (const ms of [500, 3_000, 11_000, 61_000, 101_000, 500_000]) add(passes, () => world.advance(ms));
  if (!world.table) add(4, () => world.fault("table", true));
  if (!world.bucket) add(4, () => world.fault("bucket", true));
  if (world.refuses !== "none") add(2, () => world.refuse("none"));
  if (faults > 0) {
    if (refuses !== "none") add(2, () => failing(() => world.refuse(refuses)));
    if (world.table) add(1, () => failing(() => world.fault("table", false)));
    if (world.bucket) add(1, () => failing(() => world.fault("bucket", false)));
    for (const process of world.processes) {
      if (process.finished) continue;
      add(1, () => failing(() => world.crash(process)));
      if (process.sending !== undefined) add(1, () => failing(() => world.crash(process, true)));
    }
  }
  return actions;

  function failing(act: () => void): void {
    spend(1);
    act();
  }
}

function isUp(world: World, { place }: Step): boolean {
  return (place !== "table" || world.table) && (place !== "bucket" || world.bucket);
}

function modes(world: World, step: Step, faults: number): [Mode, number][] {
  if (!isUp(world, step)) return [["fail", 4]];
  const list: [Mode, number][] = [["ok", 6]];
  if (faults > 0) list.push(["fail", 1]);
  if (faults > 0 && step.writes) list.push(["lost", 1]);
  return list;
}

function enter(world: World, actor: Actor): void {
  const name = `${actor}${world.processes.length}`;
  const read = async (deps: WorkerDeps) => {
    const { value: instance, reading } = await deps.instances.get(world.id);
    return instance === undefined ? undefined : { instance, reading };
  };
  const refresh = async (deps: WorkerDeps, call: Call): Promise<void> => {
    const seen = await read(deps);
    if (seen === undefined) return;
    await refreshGrant(deps, seen, { cause: "schedule", wanted: seen.instance.version }, call);
  };
  switch (actor) {
    case "R":
      world.start(name, refresh);
      return;
    case "J":
      world.start(name, async (deps, call) => {
        const seen = await read(deps);
        if (seen !== undefined) await currentAccessToken(deps, seen, call);
      });
      return;
    case "U":
      world.start(name, async (deps, call) => {
        const seen = await read(deps);
        if (seen !== undefined) await tokenAfterUnauthorized(deps, world.id, seen.instance.version, call);
      });
      return;
    case "F":
    case "O":
      world.start(name, (deps, call) =>
        forceRefresh(deps, world.id, call, actor === "O" && world.rules.revive ? "owner" : "token"),
      );
      return;
    case "V":
      if (!world.rules.revive) return;
      world.start(
        name,
        (deps, call) => refreshDue(deps, { instanceId: world.id, cause: "revive" }, call),
        300_000,
      );
      return;
    case "S":
      world.start(
        name,
        (deps, call) => refreshDue(deps, { instanceId: world.id, cause: "schedule" }, call),
        300_000,
      );
      return;
    case "W":
      for (const key of world.records.keys()) {
        world.start(`${name}-${key}`, (deps, call) => settleRescueRecord(deps, key, call), 300_000);
      }
      return;
    case "Q":
    case "T":
    case "X":
    case "Y":
      enterSignIn(world, name);
      return;
    case "H":
    case "I":
    case "N":
      enterHosted(world, name, actor === "N");
      return;
    case "D":
      world.start(name, async (deps, call) => {
        await markForDeletion(deps, world.id);
        await refreshDue(deps, { instanceId: world.id, cause: "schedule" }, call);
      });
      return;
    case "E":
      world.start(name, async (deps, call) => {
        await setEnabled(deps, world.id, false, call);
        await setEnabled(deps, world.id, true, call);
      });
      return;
    case "K":
      world.start(name, async (deps) => {
        const { value: instance } = await deps.instances.get(world.id);
        if (instance === undefined) return;
        const old = [instance.grant, ...(instance.replacedGrants ?? []).map(({ grant }) => grant)];
        // A value that was sealed meanwhile, by any process, has the newest key.
        await resealInstance(deps, instance, (sealed) => old.includes(sealed));
      });
  }
}

function enterSignIn(world: World, name: string): void {
  const epoch = world.newEpoch(name);
  world.start(name, (deps, call, transients) =>
    signInAgain(
      deps,
      transients,
      {
        instanceId: world.id,
        organizationId: "org",
        userId: "user",
        connector: deps.connectors("vendor") ?? world.connector,
        client: { kind: "own", id: "client", secret: "secret" },
        code: name,
        redirectUri: "https://app.example/cb",
        configuration: {},
        epoch,
        ...(name.startsWith("Y") ? { acceptOtherAccount: true } : {}),
      },
      call,
    ),
  );
}

/** Short, so that claims happen near a session's end. */
const SESSION_MS = 200_000;
/** The lifetime of the function that handles sign-ins and claims. */
const CONNECTIONS_MS = 120_000;

function enterHosted(world: World, name: string, isNew: boolean): void {
  if (!world.rules.hostedWaits) {
    enterSignIn(world, name);
    return;
  }
  const epoch = world.newEpoch(name);
  world.start(
    name,
    async (deps, call, transients) => {
      const { key } = await holdSignIn(
        deps,
        transients,
        {
          organizationId: "org",
          userId: "user",
          connector: deps.connectors("vendor") ?? world.connector,
          client: { kind: "own", id: "client", secret: "secret" },
          code: name,
          redirectUri: "https://app.example/cb",
          configuration: {},
          epoch,
          sessionId: name,
          endsAt: world.now + SESSION_MS,
          into: isNew ? { name: "Mine", tags: [], secretConfiguration: {} } : { instanceId: world.id },
        },
        call,
      );
      world.sessions.set(name, { key, status: "connected", tries: 0 });
    },
    CONNECTIONS_MS,
  );
}

/** The most claims, refusals and workers for one session. */
const MOST_TRIES = 6;

function enterSettling(world: World, name: string, session: string): void {
  const key = world.pendings.get(session);
  if (key === undefined) return;
  world.start(name, (deps, call) => settlePending(deps, key, call), 300_000);
}

function isLive(world: World, { epoch }: PendingKey): boolean {
  return world.instance?.deleting !== true && world.instance?.epoch === epoch;
}

function enterClaim(world: World, name: string, session: string): void {
  const found = world.sessions.get(session);
  if (found?.status !== "connected") return;
  found.tries += 1;
  world.claims.add(session);
  world.start(
    name,
    async (deps, call) => {
      const { key } = found;
      await claimSignIn(
        deps,
        { pending: key, isNew: session.startsWith("N"), acceptUnknownAccount: true },
        call,
      );
      if (found.status === "connected") found.status = "claimed";
      if (world.refusals.has(session))
        world.violate(`13: ${name} is told that it has claimed what was refused`);
    },
    CONNECTIONS_MS,
  );
}

function enterRefusal(world: World, name: string, session: string): void {
  const found = world.sessions.get(session);
  if (found?.status !== "connected") return;
  found.tries += 1;
  world.start(
    name,
    async (deps) => {
      if (!(await refusePending(deps, found.key, session.startsWith("N")))) return;
      if (found.status === "connected") found.status = "refused";
      world.refusals.add(session);
      if (isLive(world, found.key)) world.violate(`13: ${name} refuses ${session}, which is live`);
    },
    CONNECTIONS_MS,
  );
}

// ---- after the faults

/** Runs everything that has begun to its end, in order and without faults. */
async function drain(world: World): Promise<void> {
  for (let rounds = 0; rounds < 5_000; rounds++) {
    await world.settle();
    judge(world);
    const step = world.steps[0];
    if (step !== undefined) {
      step.run("ok");
      continue;
    }
    if (world.processes.every(({ finished }) => finished)) return;
    if (!world.advance(1_000_000)) return;
  }
  throw world.violation("6: it never comes to rest");
}

async function recover(world: World, waiting: Actor[]): Promise<void> {
  if (!world.table) world.fault("table", true);
  if (!world.bucket) world.fault("bucket", true);
  if (world.mood !== "well") world.turn("well");
  world.log.push("---- faults stop");
  for (const actor of waiting) enter(world, actor);
  await drain(world);
  for (let rounds = 0; rounds < 12 && !isQuiet(world); rounds++) {
    const { replacedGrants, deleting, dueAt } = world.instance ?? {};
    if (replacedGrants !== undefined && deleting !== true && dueAt === undefined) {
      throw world.violation("7: a grant is yet to end, and nothing brings a worker");
    }
    for (const key of [...world.records.keys()]) {
      world.start(`W${rounds}`, (deps, call) => settleRescueRecord(deps, key, call));
      await drain(world);
    }
    for (const session of [...world.pendings.keys()]) enterSettling(world, `P${rounds}-${session}`, session);
    await drain(world);
    if (world.instance?.deleting === true)
      world.start(`D${rounds}`, (deps, call) =>
        refreshDue(deps, { instanceId: world.id, cause: "schedule" }, call),
      );
    else if (world.instance?.enabled === false)
      world.start(`E${rounds}`, (deps, call) => setEnabled(deps, world.id, true, call));
    else if (mayRevive(world)) enter(world, "V");
    else enter(world, world.instance?.replacedGrants === undefined ? "R" : "S");
    await drain(world);
    world.advance(200_000);
  }
  if (world.records.size > 0) throw world.violation("6: a rescue record never ends");
}

function isQuiet(world: World): boolean {
  const { instance } = world;
  if (world.records.size > 0 || world.pendings.size > 0) return false;
  if (instance === undefined) return true;
  if (instance.deleting === true || !instance.enabled) return false;
  if (instance.replacedGrants !== undefined || mayRevive(world)) return false;
  const stored = world.storedToken();
  if (world.needsReauth()) return true;
  if (stored === undefined && world.vendor.all().length > 0 && hasNoRefreshToken(world)) return true;
  return instance.until === undefined && stored !== undefined && world.vendor.isUsable(stored);
}

/** The first grant had no refresh token, or a sign-in brought none and no old one could be kept. */
function hasNoRefreshToken({ instance }: World): boolean {
  return instance?.refreshable === false || (instance !== undefined && /-[TI]\d*/.test(instance.epoch));
}

/** The vendor called a valid grant dead: one more try repairs that. */
function mayRevive(world: World): boolean {
  const { instance, rules } = world;
  const stored = world.storedToken();
  if (instance === undefined || stored === undefined || !rules.revive) return false;
  return isRevivable(instance) && world.vendor.isUsable(stored);
}

function judge(world: World): void {
  if (world.violated !== undefined) throw world.violated;
  for (const process of world.processes) {
    if (process.alive && process.finished && isUncounted(process)) {
      throw world.violation(`9: ${process.name} had the lease and told nobody how it ended`);
    }
  }
}

function isUncounted(process: Process): boolean {
  // A sign-in that carries a refresh token over sends the vendor nothing under its lease.
  if (/^[CHINPTW]/.test(process.name) || process.probed) return false;
  return process.lease !== undefined && process.counted === 0;
}

function judgeEnd(world: World, { actors, beginsWithout, isNoted }: Scenario): void {
  judge(world);
  if (!isQuiet(world)) throw world.violation("6: faults have stopped and it does not settle");
  judgeClaims(world);
  const { instance, vendor } = world;
  const stored = world.storedToken();
  // Tokens of another sign-in than the stored grant's. A token that lost against another refresh is of the same sign-in, and
  // ends with it.
  const left = [...world.known].filter(
    (token) =>
      vendor.isLiving(token) && (stored === undefined || vendor.familyOf(token) !== vendor.familyOf(stored)),
  );
  if (left.length > 0 && !world.residue) {
    throw world.violation(
      `7: ${stored === undefined ? "deleted" : "signed in anew"}, yet token ${left.join(", ")} lives at the vendor`,
    );
  }
  if (instance === undefined || stored === undefined) return;
  const account = vendor.accountOf(stored);
  if (instance.account !== undefined && instance.account.id !== account) {
    throw world.violation(`11: shown as ${instance.account.id}, it is a window on ${account}`);
  }
  // The account may still be unknown when a user signs in to it directly.
  if (world.tellsAccounts && !beginsWithout && isNoted && account !== "first" && !actors.includes("Y")) {
    throw world.violation("11: another account was let in, which nobody had welcomed");
  }
  if (world.excused !== undefined) return;
  if (world.needsReauth()) throw world.violation("4: the grant is dead though nothing was lost");
}

/** A claim that was marked is in use, or something later took its place; and nothing deleted was created again. */
function judgeClaims(world: World): void {
  const { instance, gone, risen } = world;
  if (risen && instance !== undefined) throw world.violation("13: a deleted instance came back");
  // A grant that the table refuses for good ends, claimed or not.
  if (world.hasRefused) return;
  for (const epoch of world.marked) {
    const isLost = instance === undefined ? !gone : instance.epoch < epoch;
    if (isLost) throw world.violation(`13: ${epoch} was claimed and is not live`);
  }
}
