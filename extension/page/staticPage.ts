import * as vscode from 'vscode';
import { STATIC_PAGE } from '../ids.js';

/** A policy beside the page's own: no script runs, nothing is loaded, pictures must be part of the page. */
const POLICY = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`;

/** The page with that policy before anything that it applies to. */
export const withPolicy = (html: string): string =>
  /<head[^>]*>/i.test(html) ? html.replace(/<head[^>]*>/i, (head) => `${head}${POLICY}`) : `${POLICY}${html}`;

/** Shows a generated HTML file (a report, a page of samples) in the editor. */
export function showStaticPage(title: string, html: string): void {
  const options = { enableScripts: false, enableForms: false, localResourceRoots: [] };
  const panel = vscode.window.createWebviewPanel(STATIC_PAGE, title, vscode.ViewColumn.Active, options);
  panel.webview.html = withPolicy(html);
}
