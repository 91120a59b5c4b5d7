import { createHash } from "node:crypto";
import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";

/**
 * Key of a user's consent: client and vendor account. Revoking one instance's grant ends all instances with the same key.
 * Without an account: the key that all instances of the client share while their account is unknown.
 * @returns undefined: revocation harms no other instance, so siblings do not matter
 */
export function consentKey(
  connector: Connector,
  refreshGroup: string,
  account?: Instance["account"],
): string | undefined {
  if (connector.oauth2.revocation?.ends !== "grant") return undefined;
  // Hashed, because an account's id may be of any length, or an e-mail address.
  return `${refreshGroup}#${account === undefined ? "" : short(account.id)}`;
}

/**
 * The key of the same consent for an instance whose client the vendor has not accepted yet: an import that
 * could not be tried. A client's id is public, so anybody could send the id of another organization's client.
 * Such an instance counts as a sibling in its own organization only.
 */
export function unprovenKey(key: string, organizationId: string): string {
  const [group, account] = partsOf(key);
  return `${group}@${short(organizationId)}#${account}`;
}

/**
 * The key that counts in every organization, after the vendor has accepted the client in a code exchange or a
 * refresh.
 */
export function provenKey(key: string): string {
  const [group, account] = partsOf(key);
  return `${group}#${account}`;
}

/** An instance of an earlier version of Linkspan has a key without this mark, and counts as proven. */
export function isUnproven({ consentKey: key }: Pick<Instance, "consentKey">): boolean {
  return key !== undefined && key !== provenKey(key);
}

/** Whether the instance has a consent key but its account is unknown. */
export function hasUnknownAccount(
  connector: Connector,
  { consentKey: key, refreshGroup }: Pick<Instance, "consentKey" | "refreshGroup">,
): boolean {
  return key !== undefined && provenKey(key) === consentKey(connector, refreshGroup);
}

/** The two hashes, of client and account; neither contains a separator. */
function partsOf(key: string): [group: string, account: string] {
  const [scoped = "", account = ""] = key.split("#");
  return [scoped.split("@")[0] ?? "", account];
}

function short(id: string): string {
  return createHash("sha256").update(id).digest("base64url").slice(0, 22);
}
