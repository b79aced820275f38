/** The frame of a self-contained page: style and filter inside, nothing loaded from elsewhere. */
import { visible } from "./visible.js";

/** Text for an HTML page: mark-up and control characters made harmless. */
export function escapeHtml(text: string): string {
  return visible(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --red: #c62828; --amber: #b26a00; --blue: #1565c0; --green: #2e7d32; }
@media (prefers-color-scheme: dark) { :root { --red: #ff8a80; --amber: #ffcc80; --blue: #90caf9; --green: #a5d6a7; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } td { overflow-wrap: anywhere; } code, pre { font: 13px/1.4 ui-monospace, monospace; } pre { overflow-x: auto; }
.verdict { font-size: 1.2rem; margin: .6rem 0; } .faint { opacity: .7; } .error { color: var(--red); } .warning { color: var(--amber); } .info { color: var(--blue); } .good { color: var(--green); }
.filter { margin: 1rem 0; } .filter label { margin-right: 1.2rem; } .severity { font-weight: 600; white-space: nowrap; } .code { white-space: nowrap; }
main:has(#show-error:not(:checked)) tr.row-error, main:has(#show-warning:not(:checked)) tr.row-warning, main:has(#show-info:not(:checked)) tr.row-info, tr[hidden] { display: none; }
@media print { .filter { display: none; } body { max-width: none; margin: 0; } }
`;

/** A whole page; `body` is HTML, `script` is optional and only adds comfort. */
export function htmlPage(title: string, body: string, script = ""): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>${script === "" ? "" : `\n<script>${script}</script>`}
</body>
</html>
`;
}
