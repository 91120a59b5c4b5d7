import type { Grant, Instance } from "../instances/instance.ts";
import { announce } from "./announce.ts";
import { connectorOf } from "./connector-of.ts";
import { consentKey } from "./consent.ts";
import { dueAt } from "./due.ts";
import type { Call, GrantParts } from "./grant-parts.ts";
import type { Try } from "./keep-grant.ts";
import type { RescueRecord, Sealer } from "./ports.ts";
import { sealGrant } from "./sealed-grant.ts";

export type SignInRecord = Extract<RescueRecord, { kind: "sign-in" }>;

/** A sign-in on its way into the table. */
export interface Writing {
  readonly signIn: Omit<SignInRecord, "grant">;
  readonly grant: Grant;
  readonly sealer: Sealer;
  /** What a write, whose answer may be lost, would have replaced. */
  replaced?: SignInRecord["replaced"];
}

export type SignInResult =
  | {
      readonly kind: "written";
      readonly instance: Instance;
      /** The grant whose place it took. Absent: an earlier process's write, which saw to it. */
      readonly replaced?: NonNullable<SignInRecord["replaced"]>;
    }
  /** `now`: the item as it stands, being deleted or of a later sign-in; absent: gone. */
  | { readonly kind: "lost"; readonly now: Instance | undefined };

/**
 * Step 2 of a sign-in, by the one who signs in or by the rescue worker, any number of times. Reads first: the new grant is
 * sealed for the version that it will get, and the grant that it replaces must be known.
 * @throws the store does not answer: perhaps written, perhaps not
 */
export async function writeSignIn(
  parts: GrantParts,
  writing: Writing,
  attempt: Readonly<Try> = { over: false },
): Promise<SignInResult> {
  const { instanceId, epoch, at } = writing.signIn;
  for (;;) {
    const { value: instance } = await parts.instances.get(instanceId);
    if (instance === undefined || instance.deleting === true || instance.epoch > epoch) {
      return { kind: "lost", now: instance };
    }
    if (instance.epoch === epoch) {
      const { replaced } = writing;
      return { kind: "written", instance, ...(replaced === undefined ? {} : { replaced }) };
    }
    const { fence, version } = instance;
    const connector = connectorOf(parts, instance.connector);
    const { changes, refreshGroup: group = instance.refreshGroup } = writing.signIn;
    // Where the account was not looked up it is not known to be the one from before: whoever notes it, says so here, too.
    const consent = consentKey(connector, group, changes?.account);
    const hangsOn = { refreshGroup: group, ...(consent === undefined ? {} : { consentKey: consent }) };
    const due = dueAt(parts, connector, writing.grant, { createdAt: instance.createdAt, lastUsedAt: at }, at);
    const grant = await sealGrant(writing.sealer, instance, fence + 1, writing.grant);
    // A record without `replaced` may lie in the bucket by now: a write that nobody hears of would leave the old grant alive.
    if (attempt.over) throw new Error("too late to begin the write");
    const replaced = { version, grant: instance.grant };
    writing.replaced = replaced;
    const written = await parts.instances.signIn(
      instanceId,
      { fence, version },
      {
        epoch,
        grant,
        at,
        ...(due === undefined ? {} : { dueAt: due }),
        ...hangsOn,
        ...(changes === undefined ? {} : { changes }),
      },
    );
    if (!written) continue;
    const {
      until,
      deadVersion,
      lastError,
      attempts,
      retryAt,
      dueAt: _,
      dueSince,
      account,
      ...rest
    } = instance;
    return {
      kind: "written",
      instance: {
        ...rest,
        ...changes,
        ...hangsOn,
        grant,
        epoch,
        version: fence + 1,
        fence: fence + 1,
        updatedAt: at,
        ...(due === undefined ? {} : { dueAt: due }),
      },
      replaced,
    };
  }
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
