import type { Account, Connector } from "../../../connectors/define-connector.ts";
import { configuredHost, endpointValues } from "../../endpoint/endpoint.ts";
import { budgets, jsonBytes, textBytes } from "../../instances/budgets.ts";
import { type Grant, type Instance, needsReauthentication } from "../../instances/instance.ts";
import type { AccountBefore } from "../../instances/pending-sign-in.ts";
import { hashOf } from "../../instances/sign-in-epoch.ts";
import { type AccountAnswer, callAccount } from "../../oauth/account-call.ts";
import { present } from "../../present.ts";
import { connectorOf } from "../connector-of.ts";
import type { GrantDeps } from "../grant-deps.ts";
import { openGrant } from "../store/sealed-grant.ts";
import { withTimeout } from "../with-timeout.ts";
import { consentKey, isUnproven, provenKey, unprovenKey } from "./key.ts";

/**
 * The vendor account of an access token.
 * @returns undefined: the connector has no account call
 * @throws the vendor refuses, or does not answer in time
 */
export async function lookUpAccount(
  deps: Pick<GrantDeps, "http" | "sleep" | "timing">,
  connector: Connector,
  grant: Won,
  configuration: Instance["configuration"],
): Promise<Account | undefined> {
  if (connector.account === undefined) return undefined;
  const answer = await askAccount(deps, connector, grant, configuration);
  if (answer.kind === "told") {
    const host = configuredHost(connector, endpointValues(connector, configuration, grant));
    // Two servers may give two people the same id.
    const id = host === "" ? answer.account.id : `${answer.account.id}@${host}`;
    return bounded({ ...answer.account, id });
  }
  throw new Error(`${connector.key}'s account call was refused: ${answer.kind}`);
}

/** @throws the vendor does not answer in time, its answer cannot be read, or the connector has no account call */
export async function askAccount(
  deps: Pick<GrantDeps, "http" | "sleep" | "timing">,
  connector: Connector,
  grant: Won,
  configuration: Instance["configuration"],
): Promise<AccountAnswer> {
  const values = endpointValues(connector, configuration, grant);
  return await withTimeout(
    deps,
    deps.timing.accountMs,
    callAccount(deps.http, connector, values, grant.accessToken),
  );
}

/** The part of a grant that an account call needs. */
type Won = Pick<Grant, "accessToken" | "endpoint" | "extra">;

/** Vendor values may have any length. A long id is hashed, so different ids stay different. */
function bounded({ id, name, email, facts }: Account): Account {
  const fits = (text: string | undefined, budget: number): text is string =>
    text !== undefined && textBytes(text) <= budget;
  return {
    id: fits(id, budgets.accountId) ? id : `sha256:${hashOf(id)}`,
    ...(fits(name, budgets.accountName) ? { name } : {}),
    ...(fits(email, budgets.accountEmail) ? { email } : {}),
    ...(facts !== undefined && jsonBytes(facts) <= budgets.accountFacts ? { facts } : {}),
  };
}

/**
 * Stores the account of an instance after its grant is safe: short, best effort. Never throws. The account is
 * needed where a vendor's revocation ends the whole consent, and to notice another account at the next sign-in.
 */
export async function noteAccount(
  deps: GrantDeps,
  connector: Connector,
  instance: Pick<
    Instance,
    "id" | "epoch" | "refreshGroup" | "organizationId" | "consentKey" | "configuration"
  >,
  grant: Won,
): Promise<void> {
  try {
    const account = await lookUpAccount(deps, connector, grant, instance.configuration);
    if (account === undefined) return;
    const { id, epoch, refreshGroup, organizationId, consentKey: seen } = instance;
    const proven = consentKey(connector, refreshGroup, account);
    const key = proven !== undefined && isUnproven(instance) ? unprovenKey(proven, organizationId) : proven;
    const noted = { account, ...present({ consentKey: key }) };
    await deps.instances.noteAccount(id, { epoch, ...present({ consentKey: seen }) }, noted);
  } catch {
    // The instance works without a stored account.
  }
}

/**
 * The account of an instance, for comparison with the account of a sign-in. If it is not stored, it is looked
 * up at the vendor with the stored access token. Never throws.
 * @returns undefined: unknown
 */
export async function knownAccount(deps: GrantDeps, instance: Instance): Promise<Account | undefined> {
  if (instance.account !== undefined || needsReauthentication(instance)) return instance.account;
  const connector = connectorOf(deps, instance.connector);
  if (connector.account === undefined) return undefined;
  try {
    const grant = await openGrant(deps.vault, instance, instance.version, instance.grant);
    return await lookUpAccount(deps, connector, grant, instance.configuration);
  } catch {
    return undefined;
  }
}

/** The known account of an instance, for the write of a sign-in (sign-in/carry-over.ts). */
export function accountBefore(
  { epoch }: Pick<Instance, "epoch">,
  account: Account | undefined,
): AccountBefore | undefined {
  return account === undefined ? undefined : { epoch, accountId: account.id };
}

/**
 * Stores that the vendor has accepted the client of an instance that was imported without a proof: from now on
 * the instance counts as a sibling in every organization. Runs once per instance, after its grant is safe.
 * Never throws; if it fails, the next refresh does it.
 * @returns the instance after the write
 */
export async function noteProof(
  deps: Pick<GrantDeps, "instances" | "sleep" | "timing">,
  instance: Instance,
): Promise<Instance> {
  const { id, epoch, consentKey: seen } = instance;
  if (seen === undefined || !isUnproven(instance)) return instance;
  const noted = { consentKey: provenKey(seen) };
  try {
    const write = deps.instances.noteAccount(id, { epoch, consentKey: seen }, noted);
    const written = await withTimeout(deps, deps.timing.storeTryMs, write);
    return written ? { ...instance, consentKey: noted.consentKey } : instance;
  } catch {
    return instance;
  }
}
