import { html, raw } from "hono/html";
import type { ConnectedAccount } from "./connected-accounts.ts";
import type { DocumentEntry, GrantStatus, ListPage } from "./linkspan-client.ts";
import { STYLE } from "./style.ts";

type Html = ReturnType<typeof html>;

export interface Vendor {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** The stand-in's own page; absent when a real vendor account is configured. */
  readonly consoleUrl?: string;
}

export interface Notice {
  readonly kind: "good" | "bad";
  readonly text: string;
}

function page(title: string, notice: Notice | undefined, content: Html): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Linkspan demo</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><div class="wrap">
<a class="brand" href="/"><svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true"><path d="M1 17 C9 3 23 3 31 17" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round"/><path d="M1 17H31M8 17V10.2M16 17V6.6M24 17V10.2" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></svg> Linkspan</a>
<span class="sub">demo app, on your machine</span>
</div></header>
<main id="main" class="wrap">
${notice === undefined ? "" : html`<p class="notice ${notice.kind}" role="${notice.kind === "bad" ? "alert" : "status"}">${notice.text}</p>`}
${content}
</main>
<footer><div class="wrap">This page is an ordinary app of Linkspan. It holds an instance token for each account, and never sees a vendor's token.</div></footer>
</body>
</html>`);
}

export function homePage(
  vendors: readonly Vendor[],
  accounts: readonly ConnectedAccount[],
  notice?: Notice,
): string {
  return page(
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
          html`<li><a href="/accounts/${account.instanceId}"><strong>${account.name}</strong> <span class="hint">instance ${account.instanceId}</span></a></li>`,
      )}</ul>`
}`,
  );
}

export interface AccountView {
  readonly account: ConnectedAccount;
  readonly vendor: Vendor | undefined;
  readonly path: string;
  /** The listing, or the reason why there is no listing. */
  readonly page: ListPage | string;
  readonly status: GrantStatus;
  readonly canExpire: boolean;
}

export function accountPage(view: AccountView, notice?: Notice): string {
  const { account, path, status } = view;
  const here = `/accounts/${account.instanceId}`;
  return page(
    account.name,
    notice,
    html`<p class="back"><a href="/">All accounts</a></p>
<h1>${account.name}</h1>
<div class="columns">
<section aria-labelledby="files">
<h2 id="files" class="crumbs">${crumbs(here, path)}</h2>
${typeof view.page === "string" ? html`<p class="notice bad" role="alert">${view.page}</p>` : fileTable(here, path, view.page)}
<div class="tools">
<form method="post" action="${here}/upload?path=${encodeURIComponent(path)}" enctype="multipart/form-data">
<label>Upload a file <input type="file" name="file" required></label><button>Upload</button></form>
<form method="post" action="${here}/folders?path=${encodeURIComponent(path)}">
<label>New folder <input name="name" required maxlength="200" autocomplete="off"></label><button>Create</button></form>
</div>
</section>
<section class="panel" aria-labelledby="token">
<h2 id="token">Access token</h2>
<p class="state ${status.valid ? "good" : "bad"}">${status.valid ? "Working" : "Needs a new sign-in"}</p>
<dl>
<dt>Valid until</dt><dd>${time(status.expiresAt)}</dd>
<dt>Last refreshed</dt><dd id="refreshed">${time(status.lastRefreshedAt)}</dd>
<dt>Next refresh</dt><dd>${time(status.nextRefreshAt)}</dd>
</dl>
<form method="post" action="${here}/refresh?path=${encodeURIComponent(path)}"><button>Refresh now</button></form>
${
  view.canExpire
    ? html`<form method="post" action="${here}/expire?path=${encodeURIComponent(path)}"><button>Let the vendor end it early</button></form>
<p class="hint">The vendor then answers 401 to the next call; Linkspan refreshes the token, sends the call again, and you still get the listing.</p>`
    : ""
}
<form method="post" action="${here}/disconnect"><button class="danger">Disconnect</button></form>
</section>
</div>`,
  );
}

export function callbackPage(
  values: { code?: string; state?: string; error?: string },
  command: string,
): string {
  return page(
    "Callback",
    undefined,
    values.code === undefined
      ? html`<h1>The vendor refused</h1><p>It answered <code>${values.error ?? "nothing"}</code>. Nothing was stored.</p>`
      : html`<h1>Here is your code</h1>
<p class="lead">This page takes the place of your app's callback. Your app's server now sends the code to Linkspan:</p>
<pre tabindex="0"><code>${command}</code></pre>
<p class="hint">The code works once, for a few minutes.</p>`,
  );
}

/** The page for a session of the hosted flow that this app did not start: most likely curl started it. */
export function claimPage(command: string): string {
  return page(
    "Claim",
    undefined,
    html`<h1>Here is your claim</h1>
<p class="lead">This page takes the place of your app's return URL. This demo app did not start the session, so it does not claim the instance. Your app's server now claims it, for the end user who is signed in:</p>
<pre tabindex="0"><code>${command}</code></pre>
<p class="hint">Write the <code>endUser</code> with which the session was created: a claim for another end user fails and revokes the access that you granted. The claim works once, for half an hour.</p>`,
  );
}

export function errorPage(title: string, text: string): string {
  return page(
    title,
    { kind: "bad", text },
    html`<p class="back"><a href="/">All accounts</a></p><h1>${title}</h1>`,
  );
}

function crumbs(here: string, path: string): Html[] {
  const parts = path.split("/").filter((part) => part !== "");
  return [
    html`<a href="${here}?path=%2F">Files</a>`,
    ...parts.map(
      (part, index) =>
        html` <span aria-hidden="true">/</span> <a href="${here}?path=${encodeURIComponent(`/${parts.slice(0, index + 1).join("/")}`)}">${part}</a>`,
    ),
  ];
}

function fileTable(here: string, path: string, page: ListPage): Html {
  if (page.entries.length === 0) return html`<p class="empty">This folder is empty.</p>`;
  return html`<table><thead><tr><th scope="col">Name</th><th scope="col" class="number">Size</th><th scope="col">Modified</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead><tbody>
${page.entries.map((entry) => fileRow(here, path, entry))}
</tbody></table>
${page.nextPage === undefined ? "" : html`<p><a href="${here}?path=${encodeURIComponent(path)}&nextPage=${encodeURIComponent(page.nextPage)}">Next page</a></p>`}`;
}

function fileRow(here: string, path: string, entry: DocumentEntry): Html {
  const target = encodeURIComponent(entry.path);
  return html`<tr>
<td>${entry.directory ? html`<a class="folder" href="${here}?path=${target}">${entry.name}</a>` : html`<a href="${here}/download?path=${target}">${entry.name}</a>`}</td>
<td class="number">${entry.directory || entry.size === undefined ? "" : size(entry.size)}</td>
<td>${time(entry.modifiedDate)}</td>
<td class="number"><form method="post" action="${here}/remove?path=${encodeURIComponent(path)}"><input type="hidden" name="target" value="${entry.path}"><input type="hidden" name="directory" value="${String(entry.directory)}"><button class="quiet" aria-label="Delete ${entry.name}">Delete</button></form></td>
</tr>`;
}

function time(value: string | undefined): Html | string {
  if (value === undefined || value === null) return "–";
  return html`<time datetime="${value}">${value.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")}</time>`;
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}
