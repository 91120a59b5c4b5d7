import { createHash } from "node:crypto";
import type { Connector } from "../../../connectors/define-connector.ts";
import type { Instance } from "../../instances/instance.ts";

/**
 * What a user gave a client at the vendor, as one key: instances with the same one live and die together where revocation ends
 * it whole. Without an account: of those of this client whose account nobody knows.
 * @returns undefined: revocation harms no other instance, nobody asks for siblings
 */
export function consentKey(
  connector: Connector,
  refreshGroup: string,
  account?: Instance["account"],
): string | undefined {
  if (connector.oauth2.revocation?.ends !== "grant") return undefined;
  // Hashed: an account's id may be of any length, or an e-mail address.
  return `${refreshGroup}#${account === undefined ? "" : createHash("sha256").update(account.id).digest("base64url").slice(0, 22)}`;
}

/** Whether nobody knows yet whose consent it is, where that matters. */
export function isOfNobodyKnown(
  connector: Connector,
  { consentKey: key, refreshGroup }: Pick<Instance, "consentKey" | "refreshGroup">,
): boolean {
  return key !== undefined && key === consentKey(connector, refreshGroup);
}
