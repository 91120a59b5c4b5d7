import type { Account, Connector } from "../../connectors/define-connector.ts";
import { budgets, textBytes } from "../instances/budgets.ts";
import type { Instance } from "../instances/instance.ts";
import type { GrantParts } from "./grant-parts.ts";
import { within } from "./patience.ts";
import { consentKey } from "./revocation/consent.ts";
import { hashOf } from "./sign-in/epoch.ts";

/** Who is behind an access token. `undefined`: the connector cannot tell. @throws the vendor does not, or not in time */
export async function lookUpAccount(
  parts: Pick<GrantParts, "http" | "sleep" | "timing">,
  connector: Connector,
  accessToken: string,
): Promise<Account | undefined> {
  if (connector.account === undefined) return undefined;
  return bounded(await within(parts, parts.timing.accountMs, connector.account(parts.http, accessToken)));
}

/** What vendors tell may be of any length. An id keeps its meaning: two that differ still do. */
function bounded({ id, name, email }: Account): Account {
  const fits = (text: string | undefined, budget: number): text is string =>
    text !== undefined && textBytes(text) <= budget;
  return {
    id: fits(id, budgets.accountId) ? id : `sha256:${hashOf(id)}`,
    ...(fits(name, budgets.accountName) ? { name } : {}),
    ...(fits(email, budgets.accountEmail) ? { email } : {}),
  };
}

/**
 * Writes down whose account an instance is, after its grant is safe: brief, best effort. Never throws.
 * Needed where a vendor's revocation ends the whole consent, and to notice another account at the next sign-in.
 */
export async function noteAccount(
  parts: GrantParts,
  connector: Connector,
  instance: Pick<Instance, "id" | "epoch" | "refreshGroup">,
  accessToken: string,
  at: number,
): Promise<void> {
  try {
    const account = await lookUpAccount(parts, connector, accessToken);
    if (account === undefined) return;
    const { id, epoch, refreshGroup } = instance;
    const key = consentKey(connector, refreshGroup, account);
    const noted = { account, at, ...(key === undefined ? {} : { consentKey: key }) };
    await parts.instances.noteAccount(id, { epoch }, noted);
  } catch {
    // The instance works without it.
  }
}
