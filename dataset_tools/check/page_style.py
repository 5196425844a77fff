"""How the report looks: on a screen, a phone, and in the dark."""

STYLE = """
:root{--ink:#1c2330;--soft:#5d6675;--line:#e3e6eb;--paper:#fff;--back:#f5f6f8;--good:#1f7a4d;--bad:#c22f3f;--wait:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa4b2;--line:#2c333e;--paper:#171c24;--back:#0f1318;
--good:#4fbf86;--bad:#ff6b78;--wait:#e0a93b}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 20px 64px}
header{background:var(--paper);border:1px solid var(--line);border-left:6px solid var(--good);border-radius:10px;padding:20px 24px}
header.fail{border-left-color:var(--bad)}header.incomplete{border-left-color:var(--wait)}
.kind{margin:0;color:var(--soft);font-size:14px}
h1{margin:.1em 0 .5em;font-size:30px;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
.verdict{color:var(--good)}.fail .verdict{color:var(--bad)}.incomplete .verdict{color:var(--wait)}
dl{display:flex;flex-wrap:wrap;gap:10px 36px;margin:0}dt{color:var(--soft);font-size:14px}
dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.hash,.note{color:var(--soft);font-size:14px}.hash{margin:12px 0 0}
h2{font-size:21px;margin:40px 0 4px}section>.note{margin:0 0 12px;max-width:68ch}
table{width:100%;border-collapse:collapse;background:var(--paper);border:1px solid var(--line);border-radius:10px;font-size:15px}
th{text-align:left;font-weight:600;font-size:14px;color:var(--soft)}
th,td{padding:9px 14px;border-top:1px solid var(--line);vertical-align:top}thead th{border-top:0}
td span{display:block;color:var(--soft);font-size:13.5px;line-height:1.4}td:first-child span{max-width:44ch}
.n{text-align:right;font-variant-numeric:tabular-nums}.n b{white-space:nowrap;font-weight:600}
tr.bad td:first-child b,tr.bad td:last-child{color:var(--bad)}tr.bad td:last-child{font-weight:700}
svg{display:block;width:150px;height:32px;overflow:visible}.g{fill:var(--good)}.b{fill:var(--bad)}
svg path{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 2}
.problems{background:var(--paper);border:1px solid var(--line);border-left:6px solid var(--bad);border-radius:10px;padding:12px 12px 12px 34px}
li{overflow-wrap:anywhere}
article{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px 20px 20px;margin:0 0 18px}
article.fail{border-left:6px solid var(--bad)}
h3{display:flex;align-items:baseline;gap:12px;margin:0;font-size:18px}h3 span{color:var(--soft);font-weight:400;font-size:15px}
h3 em{margin-left:auto;font-style:normal;font-size:14px;color:var(--good)}.fail h3 em{color:var(--bad)}
article ul{margin:8px 0;padding-left:20px}article .note{margin:0 0 12px}
img{display:block;width:100%;height:auto;border-radius:6px}
code{font-size:12.5px;overflow-wrap:anywhere;color:var(--soft)}summary{cursor:pointer;margin-top:32px}
@media(max-width:720px){main{padding:12px 12px 48px}header{padding:16px}h1{font-size:25px}dl{gap:8px 24px}
.checks thead{display:none}.checks tr{display:grid;grid-template-columns:1fr auto;border-top:1px solid var(--line);padding:10px 0}
.checks td{border:0;padding:2px 14px}.checks td:first-child{grid-column:1/-1}.checks td:nth-child(2){grid-column:1/-1;padding:6px 14px}
.checks .n{grid-column:1/-1;display:flex;gap:8px;flex-wrap:wrap;text-align:left}
.checks .n::before{content:attr(data-l);color:var(--soft);min-width:52px}td:first-child span{max-width:none}
table{font-size:14.5px}th,td{padding:8px 10px}article{padding:14px}}
"""
