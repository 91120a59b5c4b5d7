import type { Connector } from "../../../connectors/define-connector.ts";
import { VendorError } from "../../errors.ts";
import type { Grant, Instance } from "../../instances/instance.ts";
import { epochOf, hashOf } from "../../instances/sign-in-epoch.ts";
import type { StoreRefused } from "../../store-refused.ts";
import type { Sealer } from "../../vault/ports.ts";
import { announce } from "../announce.ts";
import type { Call, GrantDeps, RefreshCause } from "../grant-deps.ts";
import { sealGrant } from "../store/sealed-grant.ts";
import { revokeOrphanOrDefer } from "./revoke-orphan.ts";

/** Reason of a lost grant that the table refuses for good: in the log line, the event and `lastError`. */
export const STORE_REFUSED = "store_refused";

/** A grant that the table refuses for good, and what identifies it. */
interface Refused {
  readonly grant: Grant;
  readonly sealer: Sealer;
  /** Distinguishes this grant from others of its instance. */
  readonly of: string | number;
  /** Store time, epoch milliseconds. */
  readonly at: number;
  readonly cause: RefreshCause;
}

/**
 * Ends a grant that the table refuses for good: revokes it, or writes a rescue record, so that the rescue
 * worker revokes it. Counts it as lost, and sends the event. Never throws.
 */
export async function endRefused(
  deps: GrantDeps,
  call: Call,
  owner: Pick<Instance, "id" | "organizationId" | "connector"> & Partial<Pick<Instance, "userId">>,
  { grant, sealer, of, at, cause }: Refused,
): Promise<void> {
  const { id: instanceId, organizationId, connector } = owner;
  // An epoch lower than that of every sign-in: the write of this record always fails, so the rescue worker
  // revokes its grant, and no refresh looks for it.
  const epoch = epochOf(0, hashOf(String(instanceId), String(of)));
  const ended = await revokeOrphanOrDefer(deps, call, owner, grant, async () => ({
    kind: "sign-in",
    instanceId,
    organizationId,
    connector,
    epoch,
    at,
    grant: await sealGrant(sealer, owner, `signin-${epoch}`, grant),
  }));
  // `lost` is counted in the call above.
  if (ended !== "lost")
    deps.outcome({ outcome: "lost", connector, instanceId, cause, reason: STORE_REFUSED });
  announce(deps, call, owner, { name: "instance.grant_lost", at, of, reason: STORE_REFUSED });
}

/** The error for the caller of a sign-in. */
export function notStorable({ name }: Pick<Connector, "name">, cause: StoreRefused): VendorError {
  return new VendorError(
    502,
    "grant_not_storable",
    `${name} gave more than can be stored with a connection, so the new grant was ended; a shorter configuration or fewer scopes may help`,
    { cause },
  );
}
