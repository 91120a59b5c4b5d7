import type { Connector } from "../../connectors/define-connector.ts";
import type { Grant, Instance } from "../instances/instance.ts";
import { announce } from "./announce.ts";
import type { Call, GrantDeps } from "./grant-deps.ts";

/** The scopes that a grant allows, as far as the vendor reported them. @returns undefined: unknown */
export function grantedScopes(
  connector: Connector,
  { scope }: Pick<Grant, "scope">,
): readonly string[] | undefined {
  if (scope === undefined) return undefined;
  const { separator, answerSeparator = separator } = connector.oauth2.scopes;
  const each = scope.split(/\s/).flatMap((part) => part.split(answerSeparator));
  return [...new Set(each.filter((one) => one !== ""))];
}

/**
 * The scopes that were asked for and not granted: some vendors let a user remove single permissions (Google's
 * check boxes). If the asked scopes are unknown, none are missing. The connector lists scopes that its vendor
 * returns under another name (`aliases`) or never returns (`unreported`).
 */
export function missingScopes(
  connector: Connector,
  grant: Pick<Grant, "scope" | "askedScopes">,
): readonly string[] {
  const granted = grantedScopes(connector, grant);
  if (granted === undefined || grant.askedScopes === undefined) return [];
  const { aliases = {}, unreported = [] } = connector.oauth2.scopes;
  const nameOf = (scope: string): string =>
    Object.hasOwn(aliases, scope) ? (aliases[scope] ?? scope) : scope;
  const names = new Set(granted.map(nameOf));
  return [...new Set(grant.askedScopes)].filter(
    (scope) => !names.has(nameOf(scope)) && !unreported.includes(scope),
  );
}

/** Sends the event for a sign-in that brought fewer scopes than it asked for, once the grant is stored. */
export function tellMissingScopes(
  deps: Pick<GrantDeps, "announce">,
  call: Pick<Call, "afterAnswer">,
  connector: Connector,
  instance: Instance,
  grant: Grant,
  at: number,
): void {
  const missing = missingScopes(connector, grant);
  if (missing.length === 0) return;
  announce(deps, call, instance, {
    name: "instance.scopes_missing",
    at,
    of: instance.epoch,
    missingScopes: missing,
  });
}
