import { randomBytes } from 'node:crypto';

export interface PageParts {
  /** `webview.cspSource`: where the page may load its style sheet from. */
  cspSource: string;
  script: string;
  style: string;
  title: string;
  language: string;
  /** Translations of the page's texts, by their English text. */
  strings: Record<string, string>;
}

const attribute = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]!);

/**
 * The HTML of a page (the monitor, a model). Its policy allows its own script (by nonce) and its own style sheet only: no inline style, no network,
 * no image, no frame.
 */
export function pageHtml({ cspSource, script, style, title, language, strings }: PageParts): string {
  const nonce = randomBytes(16).toString('base64');
  const csp = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // "</script>" or "<!--" inside a translation must not end the block.
  const json = JSON.stringify(strings).replace(/</g, '\\u003c');
  return `<!DOCTYPE html>
<html lang="${attribute(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(csp)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${attribute(style)}">
<title>${attribute(title)}</title>
</head>
<body>
<main id="page"></main>
<script type="application/json" id="strings">${json}</script>
<script type="module" nonce="${nonce}" src="${attribute(script)}"></script>
</body>
</html>`;
}
