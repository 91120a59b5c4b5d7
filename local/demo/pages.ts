import { html } from "hono/html";
import type { ConnectedAccount } from "./connected-accounts.ts";
import { copyable, type Html, layout, type Notice } from "./layout.ts";

export interface Vendor {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** The stand-in's own page; absent when a real vendor account is configured. */
  readonly consoleUrl?: string;
}

export function homePage(
  vendors: readonly Vendor[],
  accounts: readonly ConnectedAccount[],
  notice?: Notice,
): string {
  return layout(
    "Accounts",
    notice,
    html`<h1>Connect an account</h1>
<p class="lead">Choose a vendor. You sign in there and allow access; Linkspan stores the tokens, and you return to this page.</p>
<ul class="cards">
${vendors.map(
  (vendor) => html`<li class="card">
<h2>${vendor.name}</h2>
<p>${vendor.description}</p>
<form method="post" action="/connect"><input type="hidden" name="connector" value="${vendor.key}"><button class="primary">Connect ${vendor.name}</button></form>
${vendor.consoleUrl === undefined ? html`<p class="hint">Your own vendor app</p>` : html`<p class="hint">A local stand-in answers for this vendor. <a href="${vendor.consoleUrl}">Its console</a></p>`}
</li>`,
)}
</ul>
<h2>Connected accounts</h2>
${
  accounts.length === 0
    ? html`<p class="empty">None yet.</p>`
    : html`<ul class="rows">${accounts.map(
        (account) =>
          html`<li><a href="/accounts/${account.instanceId}"><strong>${account.name}</strong> <span class="person">${personOf(account)}</span></a></li>`,
      )}</ul>`
}`,
  );
}

/** The person behind an account, as the vendor names them. */
export function personOf({ person, instanceId }: ConnectedAccount): Html | string {
  const { name, email } = person ?? {};
  if (name === undefined && email === undefined) return `instance ${instanceId}`;
  return [name, email].filter((each) => each !== undefined).join(", ");
}

export function callbackPage(
  values: { code?: string; state?: string; error?: string },
  command: string,
): string {
  return layout(
    "Callback",
    undefined,
    values.code === undefined
      ? html`<h1>No access was granted</h1><p>The vendor answered <code>${values.error ?? "nothing"}</code>. Nothing was stored.</p>`
      : html`<h1>Here is your code</h1>
<p class="lead">This page takes the place of your app's callback. Your app's server now sends the code to Linkspan:</p>
${copyable("command", command)}
<p class="hint">The code works once, for a few minutes.</p>`,
  );
}

/** The page for a session of the hosted flow that this app did not start: most likely curl started it. */
export function claimPage(command: string): string {
  return layout(
    "Claim",
    undefined,
    html`<h1>Here is your claim</h1>
<p class="lead">This page takes the place of your app's return URL. This demo app did not start the session, so it does not claim the instance. Your app's server now claims it, for the end user who is signed in:</p>
${copyable("command", command)}
<p class="hint">Write the <code>endUser</code> with which the session was created: a claim for another end user fails and revokes the access that you granted. The claim works once, for half an hour.</p>`,
  );
}
