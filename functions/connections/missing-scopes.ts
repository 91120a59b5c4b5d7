import { connectorOf } from "../core/grant/connector-of.ts";
import { missingScopes } from "../core/grant/scopes.ts";
import { openGrant } from "../core/grant/store/sealed-grant.ts";
import type { Instance } from "../core/instances/instance.ts";
import type { ConnectionDeps } from "./deps.ts";

/**
 * What a sign-in asked for and did not get, for the answer that tells of it: `{ missingScopes: […] }`, or nothing. Best effort:
 * the connection is made, whether or not this can be told.
 */
export async function missingScopesOf(
  deps: ConnectionDeps,
  instance: Instance,
): Promise<{ missingScopes?: readonly string[] }> {
  try {
    const grant = await openGrant(deps.grants.vault, instance, instance.version, instance.grant);
    const missing = missingScopes(connectorOf(deps.grants, instance.connector), grant);
    return missing.length === 0 ? {} : { missingScopes: missing };
  } catch {
    return {};
  }
}
