import { ITEM_BYTES, itemBytes } from "../../instances/budgets.ts";
import type { Grant, Instance, Sealed } from "../../instances/instance.ts";
import { announce } from "../announce.ts";
import { connectorOf } from "../connector-of.ts";
import type { Call, GrantParts } from "../grant-parts.ts";
import type { RescueRecord, Sealer } from "../ports.ts";
import { consentKey } from "../revocation/consent.ts";
import { dueAt, dueFor } from "../schedule/due.ts";
import { sealGrant } from "../sealed-grant.ts";
import { withNewGrant } from "../with-new-grant.ts";
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
 * sealed for the version that it will get, and the grant that it replaces is kept beside it until it has ended.
 * @throws the store does not answer: perhaps written, perhaps not
 */
export async function writeSignIn(parts: GrantParts, writing: Writing): Promise<SignInResult> {
  const { instanceId, epoch, at } = writing.signIn;
  for (;;) {
    const { value: instance } = await parts.instances.get(instanceId);
    if (instance === undefined || instance.deleting === true || instance.epoch > epoch) {
      return { kind: "lost", now: instance };
    }
    if (instance.epoch === epoch) return { kind: "written", instance };
    const { fence, version } = instance;
    const connector = connectorOf(parts, instance.connector);
    const { changes, refreshGroup: group = instance.refreshGroup } = writing.signIn;
    // Where the account was not looked up it is not known to be the one from before: whoever notes it, says so here, too.
    const consent = consentKey(connector, group, changes?.account);
    const hangsOn = { refreshGroup: group, ...(consent === undefined ? {} : { consentKey: consent }) };
    const grant = await sealGrant(writing.sealer, instance, fence + 1, writing.grant);
    const { dropped, ...toEnd } = replacedBy(connector, instance, at, roomBeside(instance, grant, changes));
    const used = { createdAt: instance.createdAt, lastUsedAt: at };
    const regular = dueAt(parts, connector, writing.grant, used, at);
    const due = dueFor(toEnd, regular, at, parts.timing);
    const written = await parts.instances.signIn(
      instanceId,
      { fence, version },
      {
        epoch,
        grant,
        at,
        ...(due === undefined ? {} : { dueAt: due }),
        ...hangsOn,
        ...toEnd,
        ...(changes === undefined ? {} : { changes }),
      },
    );
    if (!written) continue;
    for (let each = 0; each < dropped; each++)
      parts.outcome({ outcome: "lost", connector: connector.key, instanceId, cause: "rescue" });
    const { account, replacedGrants, ...rest } = withNewGrant(instance, {
      grant,
      version: fence + 1,
      fence: fence + 1,
      dueAt: due,
    });
    return {
      kind: "written",
      instance: { ...rest, ...changes, ...hangsOn, ...toEnd, epoch, updatedAt: at },
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

/** Told by whoever finds it written, the rescue worker too: the epoch names it. */
export function tellSignIn(
  parts: Pick<GrantParts, "announce">,
  call: Pick<Call, "afterAnswer">,
  instance: Instance,
  { epoch, at }: Pick<SignInRecord, "epoch" | "at">,
): void {
  announce(parts, call, instance, { name: "instance.reauthenticated", at, of: epoch });
}
