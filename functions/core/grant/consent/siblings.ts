import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";
import type { PendingKey } from "../../instances/pending-sign-in.ts";
import { connectorOf } from "../connector-of.ts";
import type { WorkerDeps } from "../grant-deps.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { lookUpAccount } from "./account.ts";
import { consentKey, provenKey, unprovenKey } from "./key.ts";

/** An instance or a pending sign-in that is to end, and that shares a consent. */
export interface ConsentHolder
  extends Pick<Instance, "id" | "organizationId" | "refreshGroup" | "consentKey" | "grant"> {
  /** The version that the grant is sealed for. */
  readonly version: number | string;
  readonly pending?: Pick<PendingKey, "sessionId" | "epoch">;
  readonly configuration?: Instance["configuration"];
}

/**
 * Where revocation ends the user's whole grant, siblings are asked for only when the index has had the time to show those that
 * came, or were marked for deletion, just before: an app that connects a user again and then deletes the old instance must not
 * lose both; a user's two instances that are deleted at once must not spare their grant for each other.
 */
export function siblingsAreCertainAt(deps: WorkerDeps, instance: Instance): number {
  if (connectorOf(deps, instance.connector).oauth2.revocation?.ends !== "grant") return 0;
  return (instance.deletingSince ?? 0) + deps.timing.indexMs;
}

/**
 * Whether another living instance shares the consent. Another instance counts if it has the same connector and client, and
 * no account that is known to be a different one. If the vendor never accepted the other instance's client, it counts only in
 * its own organization. An unknown account makes the answer "unclear": its account may become known at the next try.
 * If still unknown, keeps the consent rather than break a connection.
 */
export async function isShared(
  deps: WorkerDeps,
  connector: Connector,
  holder: ConsentHolder,
): Promise<boolean | "unclear"> {
  const unknown = consentKey(connector, holder.refreshGroup);
  const own = await consentOf(deps, connector, holder, unknown);
  if (unknown === undefined || own === undefined) return "unclear";
  const hasSibling = (key: string) =>
    deps.instances.hasSibling(holder.id, key, unprovenKey(key, holder.organizationId), holder.pending);
  // In this order: a sibling whose account is noted between the two goes from the first to the second.
  const maybe = await hasSibling(unknown);
  if (own === unknown) return maybe;
  if (await hasSibling(own)) return true;
  return maybe && "unclear";
}

/** Its account may not have been noted: it is asked for once more. @returns undefined: any instance of the client may be a sibling */
async function consentOf(
  deps: WorkerDeps,
  connector: Connector,
  holder: ConsentHolder,
  unknown: string | undefined,
): Promise<string | undefined> {
  const key = holder.consentKey === undefined ? undefined : provenKey(holder.consentKey);
  // Where the vendor never tells the account, the accounts of all the client's instances are unknown.
  if (key !== unknown || connector.account === undefined) return key;
  try {
    const grant = await openGrant(deps.vault, holder, holder.version, holder.grant);
    const account = await lookUpAccount(deps, connector, grant, holder.configuration ?? {});
    return account === undefined ? undefined : consentKey(connector, holder.refreshGroup, account);
  } catch {
    return undefined;
  }
}
