import { html } from "hono/html";
import { brand, page } from "../page.ts";
import type { StandInAccount } from "../stand-in.ts";
import type { AuthorizationRequest, AuthorizationRules } from "./vendor-rules.ts";

export function loginPage(
  rules: AuthorizationRules,
  request: AuthorizationRequest,
  accounts: readonly StandInAccount[],
  transaction: string,
  problem?: { text: string; login: string },
): string {
  const login = problem?.login ?? accounts[0]?.login ?? "";
  return page(
    rules.look,
    "Sign in",
    html`<div class="card">${brand(rules.look)}
<h1>Sign in</h1>
<p>to continue to <strong>${appName(request)}</strong></p>
${problem === undefined ? "" : html`<p class="problem" id="problem" role="alert">${problem.text}</p>`}
<form method="post" action="${request.place.path}">
<input type="hidden" name="transaction" value="${transaction}">
<label for="login">E-mail</label>
<input type="text" inputmode="email" id="login" name="login" value="${login}" list="accounts" autocomplete="off" required aria-describedby="${problem === undefined ? "known" : "problem known"}">
<datalist id="accounts">${accounts.map((account) => html`<option value="${account.login}">${account.name}</option>`)}</datalist>
<p class="hint" id="known">Accounts here: ${accounts.map((account) => account.login).join(", ")}. No password is necessary.</p>
<div class="buttons"><button class="primary" name="step" value="login">Sign in</button></div>
</form></div>`,
  );
}

export function consentPage(
  rules: AuthorizationRules,
  request: AuthorizationRequest,
  account: StandInAccount,
  transaction: string,
): string {
  return page(
    rules.look,
    "Allow access",
    html`<div class="card">${brand(rules.look)}
<h1>${appName(request)} wants access to your ${rules.look.vendor}</h1>
<p>Signed in as <strong>${account.name}</strong> (${account.email}).</p>
<p>It may:</p>
<form method="post" action="${request.place.path}">
<ul class="plain">${request.scopes.map((scope) => html`<li>${scopeLine(rules, request, scope)}</li>`)}
${request.offline ? html`<li>keep this access until you withdraw it</li>` : ""}</ul>
<p class="hint">You will go back to <code>${request.redirectUri ?? "a page that shows a code"}</code>.</p>
<input type="hidden" name="transaction" value="${transaction}">
<div class="buttons"><button class="primary" name="step" value="allow">Allow</button><button name="step" value="deny">Cancel</button></div>
</form></div>`,
  );
}

function scopeLine(rules: AuthorizationRules, request: AuthorizationRequest, scope: string) {
  const words = html`${rules.describeScope(scope)} <span class="hint"><code>${scope}</code></span>`;
  return isUntickable(rules, request)
    ? html`<label><input type="checkbox" name="scope" value="${scope}" checked> ${words}</label>`
    : words;
}

/**
 * Whether the user may allow only some of the scopes: the vendor has check boxes, and the request has more
 * than one scope.
 */
export function isUntickable(
  rules: AuthorizationRules,
  { scopes }: Pick<AuthorizationRequest, "scopes">,
): boolean {
  return rules.untickable === true && scopes.length > 1;
}

export function codePage(rules: AuthorizationRules, code: string): string {
  return page(
    rules.look,
    "Your code",
    html`<div class="card">${brand(rules.look)}<h1>Almost done</h1><p>Give this code to the app to finish:</p><p><code id="code">${code}</code></p></div>`,
  );
}

function appName(request: AuthorizationRequest): string {
  return request.app.name ?? "Linkspan (local)";
}
