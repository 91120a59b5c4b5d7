import { html } from "hono/html";
import { isOwnOrigin } from "./controls.ts";
import { type Answer, htmlAnswer } from "./http/answer.ts";
import { formOf } from "./http/request.ts";
import type { OwnEndpoints } from "./http/stand-in-server.ts";
import { brand, errorPage, type Html, type PageLook, page } from "./page.ts";
import type { SeenRequest, StandIn } from "./stand-in.ts";

const SHOWN_REQUESTS = 40;
const SLOW_MS = 5000;
const OPERATION_MS = 8000;
const SEARCH_LAG_MS = 30_000;

interface Button {
  readonly label: string;
  readonly hint: string;
  readonly act: (standIn: StandIn) => void;
}

const BUTTONS: Readonly<Record<string, Button>> = {
  expire: {
    label: "Expire access tokens",
    hint: "all access tokens issued so far answer 401; refresh tokens still work",
    act: (standIn) => standIn.expireAccessTokens(),
  },
  revoke: {
    label: "End the grants",
    hint: "as if each user had withdrawn the access: refresh tokens answer invalid_grant",
    act: (standIn) => standIn.revokeGrants(),
  },
  unavailable: {
    label: "Answer 503 once",
    hint: "to the next API call",
    act: (standIn) => standIn.fail({ endpoint: "api", status: 503 }),
  },
  slow: {
    label: "Be slow once",
    hint: `the next API call waits ${SLOW_MS / 1000} seconds`,
    act: (standIn) => standIn.fail({ endpoint: "api", delayMs: SLOW_MS }),
  },
  pages: {
    label: "Give short pages",
    hint: "lists have at most 2 items on a page, and empty pages in between",
    act: (standIn) => standIn.switches.set({ pages: "empty" }),
  },
  limit: {
    label: "Limit the rate",
    hint: "more than 3 API calls in 10 seconds answer 429",
    act: (standIn) => standIn.switches.set({ rateLimit: { calls: 3, seconds: 10 } }),
  },
  operations: {
    label: "Take a while",
    hint: `operations that the vendor only accepts take ${OPERATION_MS / 1000} seconds`,
    act: (standIn) => standIn.switches.set({ operationMs: OPERATION_MS }),
  },
  search: {
    label: "Search late",
    hint: `the search finds new items and names after ${SEARCH_LAG_MS / 1000} seconds`,
    act: (standIn) => standIn.switches.set({ searchLagMs: SEARCH_LAG_MS }),
  },
  reset: {
    label: "Behave again",
    hint: "removes faults that no request has met yet, and turns the switches off",
    act: (standIn) => {
      standIn.clearFaults();
      standIn.switches.reset();
    },
  },
};

/** `/_console`: a stand-in's page for people. It works without JavaScript. */
export function consoleEndpoints(
  look: PageLook,
  standIn: () => StandIn,
  redirectUris: () => readonly string[],
  home?: string,
): OwnEndpoints {
  return {
    prefix: "/_console",
    async handle(request): Promise<Answer> {
      if (request.method === "GET" || request.method === "HEAD") {
        const done = BUTTONS[request.query.get("done") ?? ""];
        // With "no-referrer" the browser would send the form with `Origin: null`, which `isOwnOrigin`
        // refuses.
        return htmlAnswer(200, consolePage(look, standIn(), redirectUris(), done, home), {
          "Referrer-Policy": "same-origin",
        });
      }
      if (!isOwnOrigin(request)) {
        return htmlAnswer(
          403,
          errorPage(
            look,
            "Refused",
            "This form came from another site. Open the console itself.",
            "another origin",
          ),
        );
      }
      const name = (await formOf(request)).get("do") ?? "";
      const button = BUTTONS[name];
      if (button === undefined) {
        return htmlAnswer(
          400,
          errorPage(look, "Unknown button", "Open the console again.", "unknown action"),
        );
      }
      button.act(standIn());
      return { status: 303, headers: { Location: `/_console?done=${name}` } };
    },
  };
}

function consolePage(
  look: PageLook,
  standIn: StandIn,
  redirectUris: readonly string[],
  done: Button | undefined,
  home: string | undefined,
): string {
  const living = standIn.living();
  const requests = standIn.requests().slice(-SHOWN_REQUESTS).reverse();
  return page(
    look,
    "Console",
    html`${home === undefined ? "" : html`<nav aria-label="Linkspan"><a href="${home}">Back to the demo app</a></nav>`}
${brand(look)}
<h1>Console of the ${look.vendor} stand-in</h1>
${done === undefined ? "" : html`<p class="card" role="status">Done: ${done.label} (${done.hint}).</p>`}
<section class="card" aria-labelledby="controls"><h2 id="controls">Make it misbehave</h2>
<form method="post" action="/_console">${Object.entries(BUTTONS).map(
      ([name, button]) =>
        html`<p class="control"><button name="do" value="${name}">${button.label}</button> <span class="hint">${button.hint}</span></p>`,
    )}</form></section>
<section class="card" aria-labelledby="app"><h2 id="app">Registered app</h2><dl>
<dt>Name</dt><dd>${standIn.app.name ?? "Linkspan (local)"}</dd>
<dt>Client id</dt><dd><code>${standIn.app.clientId}</code></dd>
<dt>Redirect URIs</dt><dd>${redirectUris.map((uri) => html`<code>${uri}</code><br>`)}</dd>
<dt>Answers for</dt><dd>${standIn.hosts.join(", ")} at <code>${standIn.origin}</code></dd>
<dt>Living now</dt><dd>${living.grants} grants with a refresh token, ${living.accessTokens} valid access tokens</dd>
</dl></section>
<section class="card" aria-labelledby="accounts"><h2 id="accounts">Accounts</h2><div class="scroll"><table>
<thead><tr><th scope="col">Sign in as</th><th scope="col">Name</th><th scope="col">Files and folders</th><th scope="col">Grants</th></tr></thead>
<tbody>${standIn.accounts.map(
      (account) =>
        html`<tr><td>${account.login}</td><td>${account.name}</td><td>${standIn.entries(account.login).length}</td><td>${standIn.living(account.login).grants}</td></tr>`,
    )}</tbody></table></div></section>
<section class="card" aria-labelledby="requests"><h2 id="requests">Latest requests</h2>${requestTable(requests)}</section>`,
    { wide: true },
  );
}

function requestTable(requests: readonly SeenRequest[]): Html {
  if (requests.length === 0) return html`<p class="hint">None yet.</p>`;
  return html`<div class="scroll"><table>
<thead><tr><th scope="col">Time</th><th scope="col">Answer</th><th scope="col">Request</th><th scope="col">Host</th><th scope="col">Account</th></tr></thead>
<tbody>${requests.map(
    (request) =>
      html`<tr><td><time datetime="${request.at}">${request.at.slice(11, 19)}</time></td><td>${request.status === 0 ? "none" : request.status}</td><td class="path">${request.method} ${request.path}${request.grantType === undefined ? "" : ` (${request.grantType})`}</td><td>${request.host}</td><td>${request.account ?? ""}</td></tr>`,
  )}</tbody></table></div>`;
}
