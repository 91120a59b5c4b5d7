import { html, raw } from "hono/html";

export type Html = ReturnType<typeof html>;

/** The look of a stand-in's pages, and the vendor that it stands in for. */
export interface PageLook {
  /** "Dropbox" */
  readonly vendor: string;
  /** Accent colour for light and for dark mode. */
  readonly accent: { readonly light: string; readonly dark: string };
}

const STYLE = `
:root{color-scheme:light dark;--ink:#16202b;--soft:#566472;--paper:#f6f8fa;--card:#fff;--line:#dbe2e9;--on-accent:#fff;--bad:#a8232b;--bad-bg:#fdeced;--note:#6b4a00;--note-bg:#fff4d6}
@media (prefers-color-scheme:dark){:root{--ink:#e7edf3;--soft:#9fb0bf;--paper:#10171e;--card:#18222c;--line:#2b3947;--on-accent:#08182a;--bad:#ff9096;--bad-bg:#391619;--note:#ffd98a;--note-bg:#33280d}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.notice{background:var(--note-bg);color:var(--note);text-align:center;padding:.55rem 1rem;font-size:.9rem}
main{max-width:27rem;margin:2.5rem auto;padding:0 1.25rem}
main.wide{max-width:68rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.6rem}
.card+.card{margin-top:1rem}
.brand{display:flex;align-items:center;gap:.6rem;font-weight:700;color:var(--accent);margin:0 0 1rem}
.brand svg{flex:none}
h1{font-size:1.45rem;line-height:1.25;margin:0 0 .6rem}
h2{font-size:1.1rem;margin:0 0 .6rem}
p{margin:.4rem 0 1rem}
.hint{color:var(--soft);font-size:.9rem}
ul.plain{padding-left:1.2rem;margin:.4rem 0 1.2rem}
label{display:block;font-weight:600;margin:0 0 .3rem}
input[type=text],input[type=email]{width:100%;height:2.75rem;font:inherit;padding:0 .7rem;border:1px solid var(--line);border-radius:8px;background:var(--paper);color:var(--ink)}
.buttons{display:flex;flex-wrap:wrap;gap:.6rem;margin-top:1.2rem}
button{height:2.75rem;font:inherit;white-space:nowrap;padding:0 1.1rem;border-radius:8px;border:1px solid var(--line);background:var(--card);color:var(--ink);cursor:pointer}
button:hover{border-color:var(--accent)}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
code{font-size:.92em;overflow-wrap:anywhere}
.problem{background:var(--bad-bg);color:var(--bad);border-radius:8px;padding:.6rem .8rem}
a{color:var(--accent)}
nav{margin:0 0 1rem}
.control{display:flex;flex-wrap:wrap;align-items:center;gap:.2rem .8rem}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse}
th,td{padding:.4rem .6rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{font-size:.85rem;color:var(--soft)}
td.path{overflow-wrap:anywhere;min-width:14rem}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem 1rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
h1,.card p,li{overflow-wrap:anywhere}
@media (max-width:30rem){dl{grid-template-columns:minmax(0,1fr);gap:0}.control button{width:100%}dd{margin:0 0 .6rem}.card{padding:1.1rem}main{margin-top:1.2rem}}
`;

/** A whole page, plain HTML without scripts, with a notice that it is only a stand-in. */
export function page(look: PageLook, title: string, content: Html, options: { wide?: boolean } = {}): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${look.vendor} stand-in</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}
:root{--accent:${raw(look.accent.light)}}
@media (prefers-color-scheme:dark){:root{--accent:${raw(look.accent.dark)}}}</style>
</head>
<body>
<header class="notice">Local stand-in for ${look.vendor}: not ${look.vendor}, nothing leaves this computer, and no real account is used.</header>
<main class="${options.wide === true ? "wide" : "narrow"}">
${content}
</main>
</body>
</html>`);
}

/** The head of a card, with a neutral mark and not with the vendor's trademark. */
export function brand(look: PageLook): Html {
  return html`<p class="brand"><svg viewBox="0 0 28 28" width="28" height="28" aria-hidden="true"><rect x="1.5" y="1.5" width="25" height="25" rx="7" fill="none" stroke="currentColor" stroke-width="2.4" stroke-dasharray="5 3"/><path d="M8 18V10h5l2 2h5v6z" fill="currentColor"/></svg> ${look.vendor} <span class="hint">(stand-in)</span></p>`;
}

export function errorPage(look: PageLook, title: string, text: string, details: string): string {
  return page(
    look,
    title,
    html`<div class="card">${brand(look)}<h1>${title}</h1><p class="problem" role="alert">${text}</p><p class="hint"><code>${details}</code></p></div>`,
  );
}
