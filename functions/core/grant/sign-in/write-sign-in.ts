import type { Connector } from "../../../connectors/define-connector.ts";
import { ITEM_BYTES, itemBytes } from "../../instances/budgets.ts";
import type { Grant, Instance, Sealed } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { Sealer } from "../../vault/ports.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import { consentKey } from "../consent/key.ts";
import type { Call, GrantDeps } from "../grant-deps.ts";
import { dueTimeOf, dueWithCleanup } from "../store/due.ts";
import { releaseLease } from "../store/lease.ts";
import { sealGrant } from "../store/sealed-grant.ts";
import { withNewGrant } from "../store/with-new-grant.ts";
import { carryOver, lacksRefreshToken } from "./carry-over.ts";
import { replacedBy } from "./replaced-grants.ts";

export type SignInRecord = Extract<RescueRecord, { kind: "sign-in" }>;

/** A sign-in on its way into the table. */
export interface Writing {
  readonly signIn: Omit<SignInRecord, "grant">;
  readonly grant: Grant;
  readonly sealer: Sealer;
}

export type SignInResult =
  | {
      readonly kind: "written";
      readonly instance: Instance;
      /**
       * When it is due by its token alone (`undefined`: never). Absent: an earlier write, whose answer was
       * lost, has written it.
       */
      readonly due?: { readonly regular: number | undefined };
    }
  /** `now`: the current item, being deleted or of a later sign-in. Absent: deleted. */
  | { readonly kind: "lost"; readonly now: Instance | undefined };

/**
 * Step 2 of a sign-in, in the process of the sign-in or in the rescue worker; may be repeated. Reads first: the
 * new grant is sealed for its next version, and the replaced grant is kept beside it until it is revoked. Needs
 * no lease, unless a refresh token is carried over.
 * @throws the store does not answer: the write may or may not have happened
 */
export async function writeSignIn(deps: GrantDeps, writing: Writing): Promise<SignInResult> {
  const { instanceId, epoch } = writing.signIn;
  const waitUntil = deps.monotonic() + deps.timing.callerPatienceMs;
  for (;;) {
    const { value: instance, reading } = await deps.instances.get(instanceId);
    if (instance === undefined || instance.deleting === true || instance.epoch > epoch) {
      return { kind: "lost", now: instance };
    }
    if (instance.epoch === epoch) return { kind: "written", instance };
    const connector = connectorOf(deps, instance.connector);
    const read = { instance, reading };
    const carried = await carryOver(deps, connector, read, writing.signIn, writing.grant, waitUntil);
    if (carried === "again") continue;
    const next = await nextOf(deps, connector, instance, writing, carried);
    if (!(await write(deps, instance, writing.signIn, next, carried))) continue;
    for (let each = 0; each < next.dropped; each++)
      deps.outcome({ outcome: "lost", connector: connector.key, instanceId, cause: "rescue" });
    return {
      kind: "written",
      instance: instanceWith(instance, writing.signIn, next),
      due: { regular: next.regular },
    };
  }
}

type Carried = Exclude<Awaited<ReturnType<typeof carryOver>>, "again">;
type Next = Awaited<ReturnType<typeof nextOf>>;

/** The values that the sign-in writes to an instance that was just read. */
async function nextOf(
  deps: GrantDeps,
  connector: Connector,
  instance: Instance,
  { signIn: { at, changes, refreshGroup = instance.refreshGroup }, sealer }: Writing,
  { fence, grant: won, lease }: Carried,
) {
  // An account that was not looked up counts as unknown; `noteAccount` later also updates this key.
  const consent = consentKey(connector, refreshGroup, changes?.account);
  const grant = await sealGrant(sealer, instance, fence + 1, won);
  const room = roomBeside(instance, grant, changes);
  const { dropped, ...toEnd } = replacedBy(connector, instance, at, room, lease !== undefined);
  const used = { createdAt: instance.createdAt, lastUsedAt: at };
  const regular = dueTimeOf(deps, connector, won, used, at);
  return {
    fence,
    grant,
    dropped,
    regular,
    due: dueWithCleanup(toEnd, regular, at, deps.timing),
    /** Attributes that are written unchanged. */
    attributes: {
      refreshGroup,
      ...present({ consentKey: consent }),
      ...(lacksRefreshToken(connector, won) ? { refreshable: false as const } : {}),
      ...toEnd,
    },
  };
}

/** @returns whether it was written: only if fence and version are still as read */
async function write(
  deps: GrantDeps,
  { id, version, updatedAt }: Instance,
  { epoch, at, changes }: Writing["signIn"],
  { fence, grant, due, attributes }: Next,
  { lease }: Carried,
): Promise<boolean> {
  // Not the earlier of the two: that would take the table a second write (`updatedAt` never runs backwards).
  const won = {
    epoch,
    grant,
    at: Math.max(at, updatedAt),
    ...present({ dueAt: due, changes }),
    ...attributes,
  };
  try {
    return await deps.instances.signIn(id, { fence, version }, won);
  } catch (error) {
    // The table refused it, so nothing was written. Release the lease, so that the retry with a smaller grant need not wait
    // for it.
    if (error instanceof StoreRefused && lease !== undefined) await releaseLease(deps, lease, {});
    throw error;
  }
}

/** The instance after the write. */
function instanceWith(
  instance: Instance,
  { epoch, at, changes }: Writing["signIn"],
  { fence, grant, due, attributes }: Next,
): Instance {
  const version = fence + 1;
  const renewed = withNewGrant(instance, { grant, version, fence: version, dueAt: due });
  const { account, replacedGrants, refreshable, ...rest } = renewed;
  return { ...rest, ...changes, ...attributes, epoch, updatedAt: Math.max(at, instance.updatedAt) };
}

/** Bytes reserved for attributes that the table adds, and for those of the sign-in itself. */
const OTHER_BYTES = 4096;

/** Bytes of an item that are left besides all that it must hold. */
function roomBeside(instance: Instance, grant: Sealed, changes: SignInRecord["changes"]): number {
  const rest = { ...instance, ...changes, grant, replacedGrants: undefined };
  return ITEM_BYTES - OTHER_BYTES - itemBytes(rest);
}

const NO_REFRESH_TOKEN = "no_refresh_token";

/**
 * Every process that finds the sign-in written sends this event (also the rescue worker); the epoch gives all of them the
 * same id.
 */
export function tellSignIn(
  deps: Pick<GrantDeps, "announce">,
  call: Pick<Call, "afterAnswer">,
  instance: Instance,
  { epoch, at }: Pick<SignInRecord, "epoch" | "at">,
): void {
  const reason = instance.refreshable === false ? { reason: NO_REFRESH_TOKEN } : {};
  announce(deps, call, instance, { name: "instance.reauthenticated", at, of: epoch, ...reason });
}
