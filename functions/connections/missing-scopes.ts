import { connectorOf } from "../core/grant/connector-of.ts";
import { missingScopes } from "../core/grant/scopes.ts";
import { openGrant } from "../core/grant/store/sealed-grant.ts";
import type { Instance } from "../core/instances/instance.ts";
import type { ConnectionDeps } from "./deps.ts";

/**
 * The scopes that a sign-in requested but did not get, as part of an answer: `{ missingScopes: […] }`, or
 * `{}`. Errors are ignored, because the connection is made already.
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
