import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";
import type { PendingKey } from "../../instances/pending-sign-in.ts";
import { connectorOf } from "../connector-of.ts";
import type { WorkerDeps } from "../grant-deps.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { lookUpAccount } from "./account.ts";
import { consentKey, provenKey, unprovenKey } from "./key.ts";

/** An instance or a pending sign-in that must end, and whose consent others may share. */
export interface ConsentHolder
  extends Pick<Instance, "id" | "organizationId" | "refreshGroup" | "consentKey" | "grant"> {
  /** The version that the grant is sealed for. */
  readonly version: number | string;
  readonly pending?: Pick<PendingKey, "sessionId" | "epoch">;
  readonly configuration?: Instance["configuration"];
}

/**
 * Store time from which siblings can be counted, where revocation ends the user's whole consent: the index
 * needs time to show instances that were created, or marked for deletion, just before. An app that connects a
 * user again and then deletes the old instance must not lose both. If a user's two instances are deleted at
 * once, neither must keep the other's grant alive.
 */
export function siblingsAreCertainAt(deps: WorkerDeps, instance: Instance): number {
  if (connectorOf(deps, instance.connector).oauth2.revocation?.ends !== "grant") return 0;
  return (instance.deletingSince ?? 0) + deps.timing.indexMs;
}

/**
 * Whether another living instance shares the consent. Another instance counts if it has the same connector and
 * client, and its account is not known to be another one. If the vendor never accepted the other instance's
 * client, it counts only in its own organization. An unknown account makes the answer "unclear": it may become
 * known at the next try. If it stays unknown, the caller keeps the consent, so that no connection breaks.
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
  // This order matters: if a sibling's account is noted between the two look-ups, its key changes from the
  // first to the second.
  const maybe = await hasSibling(unknown);
  if (own === unknown) return maybe;
  if (await hasSibling(own)) return true;
  return maybe && "unclear";
}

/**
 * Looks the account up once more if it was not noted. @returns undefined: any instance of the client may be a
 * sibling
 */
async function consentOf(
  deps: WorkerDeps,
  connector: Connector,
  holder: ConsentHolder,
  unknown: string | undefined,
): Promise<string | undefined> {
  const key = holder.consentKey === undefined ? undefined : provenKey(holder.consentKey);
  // Without an account call, the accounts of all the client's instances are unknown.
  if (key !== unknown || connector.account === undefined) return key;
  try {
    const grant = await openGrant(deps.vault, holder, holder.version, holder.grant);
    const account = await lookUpAccount(deps, connector, grant, holder.configuration ?? {});
    return account === undefined ? undefined : consentKey(connector, holder.refreshGroup, account);
  } catch {
    return undefined;
  }
}
