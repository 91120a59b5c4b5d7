import { timingSafeEqual } from "node:crypto";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { formOf, type VendorRequest } from "../http/request.ts";
import type { StandInApp } from "../stand-in.ts";
import type { AuthorizationParties } from "./authorization-endpoint.ts";
import { type Code, challengeOf, type Grant } from "./grants.ts";
import type { TokenProblem } from "./vendor-rules.ts";

interface Client {
  readonly app: StandInApp;
  readonly hasSecret: boolean;
}

/** Issues access tokens for codes and refresh tokens (RFC 6749 sections 4.1.3, 5 and 6). */
export class TokenEndpoint {
  readonly #parties: AuthorizationParties;

  constructor(parties: AuthorizationParties) {
    this.#parties = parties;
  }

  async handle(request: VendorRequest): Promise<Answer> {
    if (request.method !== "POST") return { status: 405, headers: { Allow: "POST" } };
    const parameters = await this.parameters(request);
    const grantType = parameters.get("grant_type") ?? "";
    request.note({ grantType });
    const names = [...parameters.keys()];
    if (new Set(names).size < names.length) return this.#problem("parameter_repeated");
    const client = this.client(request, parameters);
    if (typeof client === "string") return this.#problem(client);
    if (grantType === "") return this.#problem("grant_type_missing");
    if (grantType === "authorization_code") return this.#redeem(request, client, parameters);
    if (grantType === "refresh_token") return this.#refresh(request, client, parameters);
    return this.#problem("grant_type_unsupported");
  }

  #redeem(request: VendorRequest, client: Client, parameters: URLSearchParams): Answer {
    const { grants } = this.#parties;
    const value = parameters.get("code") ?? "";
    if (value === "") return this.#problem("code_missing");
    const code = grants.findCode(value);
    if (code === undefined || code.clientId !== client.app.clientId) return this.#problem("code_unknown");
    request.note({ account: code.login });
    if (code.grant !== undefined) {
      // RFC 6749 section 4.1.2: a second use is refused, and the tokens of the first use SHOULD be revoked.
      // Neither vendor documents whether it revokes them; the stand-in does.
      grants.end(code.grant);
      return this.#problem("code_used");
    }
    if (grants.isExpired(code)) return this.#problem("code_expired");
    const redirectUri = parameters.get("redirect_uri") ?? undefined;
    const isLeftOut = redirectUri === undefined && this.#parties.rules.redirectUriOptionalAtToken === true;
    if (!isLeftOut && redirectUri !== code.redirectUri) {
      return this.#problem("redirect_uri_mismatch");
    }
    const verifierProblem = this.#checkVerifier(code, client, parameters.get("code_verifier"));
    if (verifierProblem !== undefined) return this.#problem(verifierProblem);
    const { grant, refreshToken } = grants.redeem(code, code.offline);
    return this.#tokens(grant, refreshToken);
  }

  #refresh(request: VendorRequest, client: Client, parameters: URLSearchParams): Answer {
    const value = parameters.get("refresh_token") ?? "";
    if (value === "") return this.#problem("refresh_token_missing");
    const refreshed = this.#parties.grants.refresh(value, client.app.clientId);
    if (refreshed === undefined) return this.#problem("refresh_token_dead");
    request.note({ account: refreshed.grant.login });
    return this.#tokens(refreshed.grant, refreshed.refreshToken);
  }

  #tokens(grant: Grant, refreshToken: string | undefined): Answer {
    const account = this.#parties.accounts().find((each) => each.login === grant.login);
    if (account === undefined) return this.#problem("refresh_token_dead");
    const issued = this.#parties.grants.issueAccessToken(grant);
    const tokens = { grant, account, ...issued, ...(refreshToken === undefined ? {} : { refreshToken }) };
    return jsonAnswer(200, this.#parties.rules.tokenAnswer(tokens), {
      "Cache-Control": "no-store",
      Pragma: "no-cache",
    });
  }

  /** RFC 6749 section 2.3.1: HTTP Basic, or id and secret as parameters, as the vendor accepts. */
  client(request: VendorRequest, parameters: URLSearchParams): Client | TokenProblem {
    const accepted = this.#parties.rules.clientAuthentication ?? ["basic", "post"];
    const isBasic = request.header("authorization") !== undefined;
    if (!accepted.includes(isBasic ? "basic" : "post")) return "client_secret_wrong";
    const basic = /^Basic +(\S+)$/i.exec(request.header("authorization") ?? "")?.[1];
    const pair = basic === undefined ? undefined : Buffer.from(basic, "base64").toString("utf8");
    const [basicId, basicSecret] = pair === undefined ? [] : splitPair(pair);
    const clientId = basicId ?? parameters.get("client_id") ?? "";
    const secret = basicSecret ?? parameters.get("client_secret") ?? "";
    const app = this.#parties.app(clientId);
    if (app === undefined) return "client_unknown";
    if (secret === "" && this.#parties.rules.publicClients) return { app, hasSecret: false };
    return isSame(secret, app.clientSecret) ? { app, hasSecret: true } : "client_secret_wrong";
  }

  #checkVerifier(code: Code, client: Client, verifier: string | null): TokenProblem | undefined {
    if (this.#parties.rules.ignoresPkce === true) {
      return client.hasSecret ? undefined : "client_secret_wrong";
    }
    const isGiven = verifier !== null && verifier !== "";
    if (code.challenge === undefined) {
      if (!client.hasSecret) return "client_secret_wrong";
      // RFC 9700 section 2.1.1: otherwise an attacker could put a code of a flow without PKCE into a flow
      // with PKCE.
      return isGiven ? "verifier_needless" : undefined;
    }
    if (!isGiven) return "verifier_missing";
    return challengeOf(verifier) === code.challenge ? undefined : "verifier_wrong";
  }

  async parameters(request: VendorRequest): Promise<URLSearchParams> {
    const parameters = await formOf(request);
    if (this.#parties.rules.tokenParametersInQuery) {
      for (const [name, value] of request.query) parameters.append(name, value);
    }
    return parameters;
  }

  #problem(problem: TokenProblem): Answer {
    return this.#parties.rules.tokenProblem(problem);
  }
}

function splitPair(pair: string): [string, string] {
  const colon = pair.indexOf(":");
  const decode = (part: string) => new URLSearchParams(`v=${part.replaceAll("&", "%26")}`).get("v") ?? "";
  return colon < 0 ? [decode(pair), ""] : [decode(pair.slice(0, colon)), decode(pair.slice(colon + 1))];
}

function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
