import type { Connector } from "../connectors/define-connector.ts";
import type { VendorCall } from "../core/documents/vendor-call.ts";
import { LinkspanError } from "../core/errors.ts";
import type { GrantDeps } from "../core/grant/grant-deps.ts";
import { budgets, jsonBytes } from "../core/instances/budgets.ts";
import type { Instance } from "../core/instances/instance.ts";
import { factsIn } from "../core/oauth/account-call.ts";
import { present } from "../core/present.ts";
import { readOnce } from "../core/read-once.ts";
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
  { afterAnswer }: Pick<HttpRequest, "afterAnswer">,
): () => Promise<Readonly<Record<string, string>>> {
  return readOnce(async () => {
    const { account, id, epoch, consentKey } = instance;
    if (account?.facts !== undefined) return account.facts;
    if (connector.account?.facts === undefined) return {};
    const { method, path } = connector.account;
    const answer = await call().json({ method, url: path }).catch(withoutScope);
    if (answer === undefined) return {};
    const facts = factsIn(connector.account.facts, answer);
    // Without an account, the sign-in itself is about to store it.
    if (account !== undefined && jsonBytes(facts) <= budgets.accountFacts) {
      const noted = { account: { ...account, facts }, ...present({ consentKey }) };
      afterAnswer(instances.noteAccount(id, { epoch, ...present({ consentKey }) }, noted).catch(() => false));
    }
    return facts;
  });
}

/** A connection that may not read its account has no facts of it, and serves its other calls all the same. */
function withoutScope(error: unknown): undefined {
  const isRefused = error instanceof LinkspanError && (error.status === 401 || error.status === 403);
  if (!isRefused) throw error;
}
