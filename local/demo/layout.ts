import { html, raw } from "hono/html";
import { STYLE } from "./style.ts";

export type Html = ReturnType<typeof html>;

/** What an action came to, shown once on the next page. */
export interface Notice {
  readonly kind: "good" | "bad" | "info";
  readonly text: string;
}

/** The one script of the demo: a button that copies a block. Pages work without it; then the button is hidden. */
export const COPY_SCRIPT = `
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}
`;

export function layout(title: string, notice: Notice | undefined, content: Html): string {
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
<header><div class="wrap">
<a class="skip" href="#main">Skip to content</a>
<a class="brand" href="/"><svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true"><path d="M1 17 C9 3 23 3 31 17" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round"/><path d="M1 17H31M8 17V10.2M16 17V6.6M24 17V10.2" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></svg> Linkspan</a>
<span class="sub">demo app, on your machine</span>
</div></header>
<main id="main" class="wrap">
${notice === undefined ? "" : html`<p class="notice ${notice.kind}" role="${notice.kind === "bad" ? "alert" : "status"}">${notice.text}</p>`}
${content}
</main>
<footer><div class="wrap">This page is an ordinary app of Linkspan. It holds an instance token for each account, and never sees a vendor's token. <a href="/api-docs">The API</a></div></footer>
<script>${raw(COPY_SCRIPT)}</script>
</body>
</html>`);
}

/** A block of shell lines with a button that copies them. */
export function copyable(id: string, text: string): Html {
  return html`<div class="copyable"><pre tabindex="0"><code id="${id}">${text}</code></pre><button type="button" data-copy="${id}" hidden>Copy</button></div>`;
}

export function errorPage(title: string, text: string): string {
  return layout(
    title,
    { kind: "bad", text },
    html`<p class="back"><a href="/">All accounts</a></p><h1>${title}</h1>`,
  );
}

/** Asks before something that cannot be undone. Both buttons are forms, so that the page works without a script. */
export function askPage(question: {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly yes: string;
  /** "danger": the answer deletes or replaces something. */
  readonly kind: "danger" | "primary";
  readonly no: string;
  /** Where `no` leads. */
  readonly back: string;
}): string {
  const { title, text, action, fields, yes, kind, no, back } = question;
  return layout(
    title,
    undefined,
    html`<div class="ask"><h1>${title}</h1>
<p>${text}</p>
<div class="tools"><form method="post" action="${action}">
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="${kind}">${yes}</button></form>
<a class="button" href="${back}">${no}</a></div></div>`,
  );
}
