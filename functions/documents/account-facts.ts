import type { AccountCall, Connector } from "../connectors/define-connector.ts";
import type { VendorCall } from "../core/documents/vendor-call.ts";
import type { GrantDeps } from "../core/grant/grant-deps.ts";
import { budgets, jsonBytes } from "../core/instances/budgets.ts";
import type { Instance } from "../core/instances/instance.ts";
import { factsIn } from "../core/oauth/account-call.ts";
import { present } from "../core/present.ts";
import { readOnce } from "../core/read-once.ts";
import type { VendorSession } from "../core/vendor-session.ts";
import type { HttpRequest } from "../http/request.ts";

/**
 * Reads the facts of an instance's account. They are stored at the sign-in; instances from before that ask the vendor, and the
 * answer is stored.
 * @param call the call to the vendor; it is made after this, because it holds the result
 */
export function accountFacts(
  { instances }: Pick<GrantDeps, "instances">,
  connector: Connector,
  instance: Instance,
  call: () => VendorCall,
  session: Pick<VendorSession, "grantedScopes">,
  { afterAnswer }: Pick<HttpRequest, "afterAnswer">,
): () => Promise<Readonly<Record<string, string>>> {
  return readOnce(async () => {
    const { account, id, epoch, consentKey } = instance;
    if (account?.facts !== undefined) return account.facts;
    if (connector.account?.facts === undefined) return {};
    const { method, path } = connector.account;
    if (!(await mayRead(session, connector.account, instance))) return {};
    const facts = factsIn(connector.account.facts, await call().json({ method, url: path }));
    // Without an account, the sign-in itself is about to store it.
    if (account !== undefined && jsonBytes(facts) <= budgets.accountFacts) {
      const noted = { account: { ...account, facts }, ...present({ consentKey }) };
      afterAnswer(instances.noteAccount(id, { epoch, ...present({ consentKey }) }, noted).catch(() => false));
    }
    return facts;
  });
}

/**
 * Whether the connection may read its account. One that may not has no facts, and serves its other calls all the same: the
 * vendor is not asked, because its refusal would cost each call of the hub a request and a refresh.
 */
async function mayRead(
  session: Pick<VendorSession, "grantedScopes">,
  { scope }: AccountCall,
  { account }: Instance,
): Promise<boolean> {
  if (account !== undefined || scope === undefined) return true;
  return (await session.grantedScopes())?.includes(scope) === true;
}
