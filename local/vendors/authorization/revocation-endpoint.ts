import { type Answer, jsonAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { AuthorizationParties } from "./authorization-endpoint.ts";
import type { TokenEndpoint } from "./token-endpoint.ts";
import type { RevocationRules } from "./vendor-rules.ts";

/** Ends the grant of a token (RFC 7009 section 2). */
export async function revoke(
  request: VendorRequest,
  rules: RevocationRules,
  { grants, rules: { tokenProblem } }: AuthorizationParties,
  clients: TokenEndpoint,
): Promise<Answer> {
  if (request.method !== "POST") return { status: 405, headers: { Allow: "POST" } };
  const parameters = await clients.parameters(request);
  const client = rules.needsClient ? clients.client(request, parameters) : undefined;
  if (typeof client === "string") return tokenProblem(client);
  const token = parameters.get("token") ?? request.query.get("token") ?? "";
  const grant = grants.grantOf(token);
  const isForeign = client !== undefined && grant?.clientId !== client.app.clientId;
  if (grant === undefined || grant.ended || isForeign || grants.check(token).state === "expired") {
    return rules.deadToken ?? jsonAnswer(200, {});
  }
  request.note({ account: grant.login });
  if (rules.ends === "grant") grants.endAll(grant.login, grant.clientId);
  else grants.end(grant);
  return jsonAnswer(200, {});
}
