/** The demo's style sheet: system fonts, light and dark colours; it loads no other files. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#16202b;--soft:#566472;--paper:#f6f8fa;--card:#fff;--line:#dbe2e9;--accent:#0b5cad;--on-accent:#fff;--good:#14703a;--bad:#a8232b;--good-bg:#e5f5ec;--bad-bg:#fdeced;--info-bg:#e8eef5;--control:2.75rem}
@media (prefers-color-scheme:dark){:root{--ink:#e7edf3;--soft:#9fb0bf;--paper:#10171e;--card:#18222c;--line:#2b3947;--accent:#6cb4ff;--on-accent:#08182a;--good:#6fd69a;--bad:#ff9096;--good-bg:#11301f;--bad-bg:#391619;--info-bg:#1e2a37}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.wrap{width:100%;max-width:68rem;margin:0 auto;padding:0 1.25rem}
main.wrap{flex:1;padding-top:1.5rem;padding-bottom:3rem}
header{background:var(--card);border-bottom:1px solid var(--line)}
header .wrap{display:flex;align-items:center;gap:1rem;padding-top:.8rem;padding-bottom:.8rem}
.brand{display:flex;align-items:center;gap:.6rem;font-weight:700;font-size:1.15rem;color:var(--accent);text-decoration:none}
.sub,.hint{color:var(--soft);font-size:.9rem}
footer{border-top:1px solid var(--line);padding:1rem 0;color:var(--soft);font-size:.9rem}
h1{font-size:1.8rem;line-height:1.2;margin:.4rem 0 .6rem}
h2{font-size:1.15rem;margin:0 0 .5rem}
.lead{color:var(--soft);max-width:46rem;margin:0 0 1.5rem}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.cards{list-style:none;padding:0;margin:0 0 2.2rem;display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr))}
.card,.panel{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.2rem}
.card p{margin:.2rem 0 1rem}.card .hint{margin:.8rem 0 0}
button,.button{display:inline-flex;align-items:center;justify-content:center;height:var(--control);font:inherit;padding:0 .95rem;border-radius:8px;border:1px solid var(--line);background:var(--card);color:var(--ink);cursor:pointer;white-space:nowrap;text-decoration:none}
[hidden]{display:none!important}
button:hover,.button:hover{border-color:var(--accent)}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}
@media (max-width:400px){button.primary{padding:0 .6rem;font-size:.85rem}}
button.danger,.button.danger{color:var(--bad)}
.button.quiet{border:0;padding:0 .4rem;color:var(--soft);background:none;text-decoration:underline}
.rows{list-style:none;padding:0;margin:0;background:var(--card);border:1px solid var(--line);border-radius:12px}
.rows li+li{border-top:1px solid var(--line)}
.rows a{display:flex;flex-wrap:wrap;gap:.1rem .8rem;padding:.8rem 1.2rem;text-decoration:none;overflow-wrap:anywhere}
.person{color:var(--soft)}
.lead{overflow-wrap:anywhere}
.ask{max-width:36rem}.ask p{overflow-wrap:anywhere}
.empty{color:var(--soft);background:var(--card);border:1px dashed var(--line);border-radius:12px;padding:1.2rem}
.columns{display:grid;gap:1.5rem;grid-template-columns:minmax(0,1fr) 18rem;align-items:start}
.columns>section{min-width:0}
@media (max-width:52rem){.columns{grid-template-columns:minmax(0,1fr)}}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden}
th,td{padding:.55rem .8rem;text-align:left;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
th{font-size:.85rem;color:var(--soft);font-weight:600}
td time,.number{white-space:nowrap;font-variant-numeric:tabular-nums}.number{text-align:right}
td form{margin:0}
.folder{font-weight:600}.folder::before{content:"▸ ";content:"▸ " / "";color:var(--soft)}
.tools{display:flex;flex-wrap:wrap;gap:1rem 2rem;margin-top:1.2rem}
.tools form{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end}
label{display:grid;gap:.25rem;font-size:.9rem;color:var(--soft)}
input{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:8px;height:var(--control);padding:0 .6rem}
input[type=file]{padding:.55rem .6rem}
.panel form{margin-top:.7rem}.panel button,.panel .button{width:100%}.panel .button{margin-top:.7rem}
dl{display:grid;gap:.1rem;margin:.6rem 0}dt{color:var(--soft);font-size:.85rem}dd{margin:0 0 .4rem;font-variant-numeric:tabular-nums;font-size:.95rem}
.state{font-weight:700;margin:0}.state.good{color:var(--good)}.state.bad{color:var(--bad)}
.notice{padding:.75rem 1rem;border-radius:8px;margin:0 0 1.2rem}.notice.good{background:var(--good-bg);color:var(--good)}.notice.bad{background:var(--bad-bg);color:var(--bad)}.notice.info{background:var(--info-bg)}.notice{overflow-wrap:anywhere}
.copyable{position:relative}.copyable button{position:absolute;top:.6rem;right:.6rem}
.copyable pre{padding-top:4rem}
pre{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1rem;overflow:auto}
@media (max-width:24rem){.sub{display:none}}
@media (max-width:36rem){th:nth-child(3),td:nth-child(3){display:none}.tools form,.tools label{width:100%}.tools label{flex:1 1 12rem}input{width:100%;min-width:0}th,td{padding:.55rem .5rem}}
.tools label,.tools form{min-width:0;max-width:100%}
.back{margin:0}
`;
