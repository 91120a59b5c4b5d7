import { randomBytes } from "node:crypto";
import { type Answer, htmlAnswer, redirectAnswer } from "../http/answer.ts";
import { formOf, type VendorRequest } from "../http/request.ts";
import { matchPath, pathTemplate } from "../kit/path-template.ts";
import { errorPage } from "../page.ts";
import type { StandInAccount, StandInApp } from "../stand-in.ts";
import type { Grants } from "./grants.ts";
import { codePage, consentPage, isUntickable, loginPage } from "./pages.ts";
import type {
  AuthorizationRequest,
  AuthorizationRules,
  RequestPlace,
  RequestProblem,
} from "./vendor-rules.ts";

/** The rules, grants, apps and accounts of an authorization server. */
export interface AuthorizationParties {
  readonly rules: AuthorizationRules;
  readonly grants: Grants;
  app(clientId: string): StandInApp | undefined;
  redirectUris(app: StandInApp): readonly string[];
  accounts(): readonly StandInAccount[];
}

interface Transaction {
  readonly request: AuthorizationRequest;
  account?: StandInAccount;
}

const MAX_TRANSACTIONS = 1000;

/**
 * The pages where the user signs in and allows or cancels; then the browser goes back to the app with a
 * code (RFC 6749 section 4.1.1).
 */
export class AuthorizationEndpoint {
  readonly #parties: AuthorizationParties;
  readonly #transactions = new Map<string, Transaction>();

  constructor(parties: AuthorizationParties) {
    this.#parties = parties;
  }

  handle(request: VendorRequest): Answer | Promise<Answer> {
    if (request.method === "GET" || request.method === "HEAD") return this.#begin(request);
    if (request.method === "POST") return this.#step(request);
    return { status: 405, headers: { Allow: "GET, HEAD, POST" } };
  }

  #begin({ host, path, query }: VendorRequest): Answer {
    const { rules } = this.#parties;
    const parameters = matchPath(pathTemplate(rules.authorizationPath), path) ?? {};
    const request = this.#read(query, { host, path, parameters });
    if ("title" in request) return this.#problem(request);
    const transaction = randomBytes(24).toString("base64url");
    this.#transactions.set(transaction, { request });
    const [oldest] = this.#transactions.keys();
    if (this.#transactions.size > MAX_TRANSACTIONS && oldest !== undefined) this.#transactions.delete(oldest);
    return htmlAnswer(200, loginPage(rules, request, this.#parties.accounts(), transaction));
  }

  async #step(request: VendorRequest): Promise<Answer> {
    const { rules } = this.#parties;
    const form = await formOf(request);
    const id = form.get("transaction") ?? "";
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) {
      return this.#problem({
        status: 400,
        title: "This page is out of date",
        text: "Start again from the app.",
      });
    }
    if (form.get("step") === "login") {
      const login = (form.get("login") ?? "").trim();
      const account = this.#parties.accounts().find((each) => each.login === login);
      if (account === undefined) {
        const problem = { text: "No account here has this e-mail address.", login };
        return htmlAnswer(400, loginPage(rules, transaction.request, this.#parties.accounts(), id, problem));
      }
      transaction.account = account;
      return htmlAnswer(200, consentPage(rules, transaction.request, account, id));
    }
    if (transaction.account === undefined) {
      return this.#problem({ status: 400, title: "Sign in first", text: "Start again from the app." });
    }
    this.#transactions.delete(id);
    request.note({ account: transaction.account.login });
    const { request: asked, account } = transaction;
    const ticked = form.getAll("scope");
    const scopes = isUntickable(rules, asked)
      ? asked.scopes.filter((scope) => ticked.includes(scope))
      : asked.scopes;
    return form.get("step") === "allow" && scopes.length > 0
      ? this.#allow({ ...asked, scopes }, account)
      : this.#deny(asked);
  }

  #allow(request: AuthorizationRequest, account: StandInAccount): Answer {
    const { rules, grants } = this.#parties;
    const code = grants.issueCode({
      login: account.login,
      clientId: request.app.clientId,
      redirectUri: request.redirectUri,
      scopes: request.scopes,
      offline:
        request.offline === "first"
          ? !grants.hasOfflineGrant(account.login, request.app.clientId)
          : request.offline,
      challenge: request.challenge,
    });
    if (request.redirectUri === undefined) return htmlAnswer(200, codePage(rules, code));
    return this.#back(request, request.redirectUri, [
      ["code", code],
      ...rules.redirectParameters(request, account),
    ]);
  }

  #deny(request: AuthorizationRequest): Answer {
    if (request.redirectUri === undefined) {
      return this.#problem({
        status: 200,
        title: "Access was not allowed",
        text: "You can close this page.",
      });
    }
    return this.#back(request, request.redirectUri, [
      ["error", "access_denied"],
      ...this.#parties.rules.denialParameters,
    ]);
  }

  #back(
    request: AuthorizationRequest,
    redirectUri: string,
    parameters: readonly (readonly [string, string])[],
  ): Answer {
    const all = request.state === undefined ? parameters : [["state", request.state] as const, ...parameters];
    const query = all.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
    // The registered URI stays unchanged, byte for byte; it may already have a query.
    return redirectAnswer(`${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${query}`);
  }

  /**
   * Checks in the order of RFC 6749 section 4.1.2.1: nothing is redirected before the client and its URI
   * are verified.
   */
  #read(query: URLSearchParams, place: RequestPlace): AuthorizationRequest | RequestProblem {
    const { rules } = this.#parties;
    const clientId = query.get("client_id");
    const app = clientId === null ? undefined : this.#parties.app(clientId);
    if (app === undefined) return rules.clientProblem(clientId);
    const redirectUri = query.get("redirect_uri") ?? undefined;
    if (redirectUri === undefined) {
      if (!rules.redirectUriOptional) return rules.redirectProblem(null);
    } else if (!this.#parties.redirectUris(app).includes(redirectUri))
      return rules.redirectProblem(redirectUri);
    if (query.get("response_type") !== "code") return rules.responseTypeProblem(query.get("response_type"));
    const challenge = rules.ignoresPkce === true ? undefined : (query.get("code_challenge") ?? undefined);
    const method = query.get("code_challenge_method");
    if (challenge !== undefined && (method !== "S256" || !/^[\w-]{43}$/.test(challenge))) {
      return rules.challengeProblem();
    }
    const read = rules.readRequest(query, place);
    if ("title" in read) return read;
    return { app, redirectUri, state: query.get("state") ?? undefined, challenge, place, ...read };
  }

  #problem(problem: RequestProblem): Answer {
    const details = `${this.#parties.rules.look.vendor} stand-in, HTTP ${problem.status}`;
    return htmlAnswer(
      problem.status,
      errorPage(this.#parties.rules.look, problem.title, problem.text, details),
    );
  }
}
