import { ITEM_BYTES, itemBytes } from "../../instances/budgets.ts";
import type { Grant, Instance, Sealed } from "../../instances/instance.ts";
import type { RescueRecord } from "../../instances/rescue-store.ts";
import { present } from "../../present.ts";
import { StoreRefused } from "../../store-refused.ts";
import type { Sealer } from "../../vault/ports.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantDeps } from "../grant-deps.ts";
import { consentKey } from "../store/consent.ts";
import { dueAt, dueFor } from "../store/due.ts";
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
      /** When it is due by its token alone (`undefined`: never). Absent: an earlier write, whose answer was lost. */
      readonly due?: { readonly regular: number | undefined };
    }
  /** `now`: the item as it stands, being deleted or of a later sign-in; absent: gone. */
  | { readonly kind: "lost"; readonly now: Instance | undefined };

/**
 * Step 2 of a sign-in, by the one who signs in or by the rescue worker, any number of times. Reads first: the new grant is
 * sealed for the version that it will get, and the grant that it replaces is kept beside it until it has ended. Needs no lease,
 * unless it carries a refresh token over.
 * @throws the store does not answer: perhaps written, perhaps not
 */
export async function writeSignIn(deps: GrantDeps, writing: Writing): Promise<SignInResult> {
  const { instanceId, epoch, at } = writing.signIn;
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
    const { version } = instance;
    const { fence, grant: won } = carried;
    const refreshable = lacksRefreshToken(connector, won) ? { refreshable: false as const } : {};
    const { changes, refreshGroup: group = instance.refreshGroup } = writing.signIn;
    // Where the account was not looked up it is not known to be the one from before: whoever notes it, says so here, too.
    const consent = consentKey(connector, group, changes?.account);
    const hangsOn = { refreshGroup: group, ...present({ consentKey: consent }) };
    const grant = await sealGrant(writing.sealer, instance, fence + 1, won);
    const room = roomBeside(instance, grant, changes);
    const { dropped, ...toEnd } = replacedBy(connector, instance, at, room, carried.lease !== undefined);
    const used = { createdAt: instance.createdAt, lastUsedAt: at };
    const regular = dueAt(deps, connector, won, used, at);
    const due = dueFor(toEnd, regular, at, deps.timing);
    const write = deps.instances.signIn(
      instanceId,
      { fence, version },
      {
        epoch,
        grant,
        at,
        ...present({ dueAt: due }),
        ...hangsOn,
        ...refreshable,
        ...toEnd,
        ...present({ changes }),
      },
    );
    const written = await write.catch(async (error: unknown) => {
      // Surely not written: a smaller form must not wait for this lease.
      if (error instanceof StoreRefused && carried.lease !== undefined)
        await releaseLease(deps, carried.lease, {});
      throw error;
    });
    if (!written) continue;
    for (let each = 0; each < dropped; each++)
      deps.outcome({ outcome: "lost", connector: connector.key, instanceId, cause: "rescue" });
    const {
      account,
      replacedGrants,
      refreshable: _,
      ...rest
    } = withNewGrant(instance, {
      grant,
      version: fence + 1,
      fence: fence + 1,
      dueAt: due,
    });
    return {
      kind: "written",
      instance: { ...rest, ...changes, ...hangsOn, ...refreshable, ...toEnd, epoch, updatedAt: at },
      due: { regular },
    };
  }
}

/** Attributes that the table adds, and those of the sign-in itself. */
const OTHER_BYTES = 4096;

/** What is left of an item beside all that it must hold. */
function roomBeside(instance: Instance, grant: Sealed, changes: SignInRecord["changes"]): number {
  const rest = { ...instance, ...changes, grant, replacedGrants: undefined };
  return ITEM_BYTES - OTHER_BYTES - itemBytes(rest);
}

const NO_REFRESH_TOKEN = "no_refresh_token";

/** Told by whoever finds it written, the rescue worker too: the epoch names it. */
export function tellSignIn(
  deps: Pick<GrantDeps, "announce">,
  call: Pick<Call, "afterAnswer">,
  instance: Instance,
  { epoch, at }: Pick<SignInRecord, "epoch" | "at">,
): void {
  const reason = instance.refreshable === false ? { reason: NO_REFRESH_TOKEN } : {};
  announce(deps, call, instance, { name: "instance.reauthenticated", at, of: epoch, ...reason });
}
