/** The pages' one style sheet. */
export const STYLE = `:root{--ink:#1c2733;--soft:#5d6b79;--line:#dfe5ea;--paper:#fff;--back:#f4f6f8;--accent:#0b5c8a;--mark:#e4f0f7}
@media(prefers-color-scheme:dark){:root{--ink:#e3e9ee;--soft:#93a1ae;--line:#2c3842;--paper:#17212a;--back:#0f171e;--accent:#6db9e4;--mark:#1d3341}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header{background:var(--paper);border-bottom:1px solid var(--line);padding:14px 0}
header>div,main,footer{max-width:1080px;margin:0 auto;padding:0 20px}
header>div{display:flex;gap:12px;align-items:baseline}
header b{font-size:17px}header b a{color:var(--ink)}
header span{margin-left:auto;color:var(--soft)}
h1{font-size:24px;margin:28px 0 4px;overflow-wrap:anywhere}
h2{font-size:16px;margin:30px 0 8px}
p.lead{margin:0 0 18px;color:var(--soft)}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
section,table{background:var(--paper);border:1px solid var(--line);border-radius:8px}
section{padding:14px 16px}
table{width:100%;border-collapse:separate;border-spacing:0;overflow:hidden}
th,td{padding:9px 14px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}
th{font-size:12px;font-weight:600;color:var(--soft);text-transform:uppercase;letter-spacing:.04em;background:var(--back)}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
td.step code{white-space:pre-wrap}
.tag{display:inline-block;padding:0 8px;border-radius:10px;background:var(--mark);font-size:12px;white-space:nowrap}
.soft{color:var(--soft)}
.bar{display:block;border-radius:3px;background:var(--mark);color:var(--accent);margin:-8px 0 18px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
nav{margin:16px 0;display:flex;gap:16px}
footer{color:var(--soft);font-size:13px;padding-top:30px;padding-bottom:30px}
@media(max-width:640px){th,td{padding:8px}.wide{display:none}}
`;
