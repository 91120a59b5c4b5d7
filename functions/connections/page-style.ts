/** System fonts, light and dark colours, contrast of at least 4.5:1; loads nothing from any host. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--ink:#16202b;--soft:#566472;--paper:#f3f6f9;--card:#fff;--line:#d5dde5;--accent:#0b5cad;--on-accent:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e7edf3;--soft:#9fb0bf;--paper:#10171e;--card:#18222c;--line:#2b3947;--accent:#6cb4ff;--on-accent:#08182a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:1rem;padding:1.5rem 1rem;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header{display:flex;align-items:center;gap:.75rem;max-width:27rem;font-weight:600;font-size:1.05rem;overflow-wrap:anywhere}
header img{max-width:10rem;max-height:3rem}
main{width:100%;max-width:27rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:16px}
h1{margin:0 0 .5rem;font-size:1.45rem;line-height:1.25;overflow-wrap:anywhere}
h2{margin:1.4rem 0 0;font-size:1rem}
h2+ul{margin-top:.5rem}
p{margin:0 0 1rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
ul{list-style:none;margin:1.4rem 0;padding:0;display:grid;gap:.75rem}
form{margin:0}
button{display:flex;align-items:center;gap:.9rem;width:100%;min-height:3.25rem;padding:0 1rem;font:inherit;font-weight:600;text-align:left;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:12px;cursor:pointer}
button:hover{border-color:var(--accent)}
button img{width:2.25rem;height:2.25rem;border-radius:8px}
button.only{justify-content:center;color:var(--on-accent);background:var(--accent);border-color:var(--accent)}
button.quiet{justify-content:center;font-weight:400;color:var(--soft);background:none;border-color:transparent;text-decoration:underline}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
footer,.soft{color:var(--soft);font-size:.9rem}
code{overflow-wrap:anywhere}
`;
