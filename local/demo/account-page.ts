import { html } from "hono/html";
import type { ConnectedAccount } from "./connected-accounts.ts";
import { type Html, layout, type Notice } from "./layout.ts";
import type { DocumentEntry, GrantStatus, ListPage } from "./linkspan-client.ts";
import { personOf, type Vendor } from "./pages.ts";

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
  const { account, path, vendor } = view;
  const here = `/accounts/${account.instanceId}`;
  return layout(
    account.name,
    notice,
    html`<p class="back"><a href="/">All accounts</a></p>
<h1>${account.name}</h1>
<p class="lead">${personOf(account)}${vendor?.consoleUrl === undefined ? "" : html` · <a href="${vendor.consoleUrl}">console of the stand-in</a>`}</p>
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
${connectionPanel(here, view)}
</div>`,
  );
}

function connectionPanel(here: string, { path, status, canExpire }: AccountView): Html {
  const at = `?path=${encodeURIComponent(path)}`;
  return html`<section class="panel" aria-labelledby="token">
<h2 id="token">Connection</h2>
<p class="state ${status.valid ? "good" : "bad"}">${status.valid ? "Working" : "Needs a new sign-in"}</p>
<dl>
<dt>Token valid until</dt><dd>${time(status.expiresAt)}</dd>
<dt>Last refreshed</dt><dd id="refreshed">${time(status.lastRefreshedAt)}</dd>
<dt>Next refresh</dt><dd>${time(status.nextRefreshAt)}</dd>
</dl>
<form method="post" action="${here}/sign-in${at}"><button${status.valid ? "" : html` class="primary"`}>Sign in again</button></form>
${status.valid ? html`<form method="post" action="${here}/refresh${at}"><button>Refresh now</button></form>` : ""}
${
  canExpire && status.valid
    ? html`<form method="post" action="${here}/expire${at}"><button>Let the vendor end it early</button></form>
<p class="hint">The vendor then answers 401 to the next call; Linkspan refreshes the token, sends the call again, and you still get the listing.</p>`
    : ""
}
<a class="button danger" href="${here}/disconnect${at}">Disconnect</a>
</section>`;
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
  const at = encodeURIComponent(path);
  return html`<tr>
<td>${entry.directory ? html`<a class="folder" href="${here}?path=${target}">${entry.name}</a>` : html`<a href="${here}/download?path=${at}&target=${target}">${entry.name}</a>`}</td>
<td class="number">${entry.directory || entry.size === undefined ? "" : size(entry.size)}</td>
<td>${time(entry.modifiedDate)}</td>
<td class="number"><a class="button quiet" aria-label="Delete ${entry.name}" href="${here}/remove?path=${at}&target=${target}&kind=${entry.directory ? "folder" : "file"}">Delete</a></td>
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
