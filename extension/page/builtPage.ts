import * as vscode from 'vscode';
import { pageHtml } from './html.js';
import { pageStrings } from './strings.js';

/** Folder of the built pages. */
const pagesOf = (extensionUri: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extensionUri, 'dist', 'webview');

/** A page may run its own script, and load what is built beside it. */
export const pageOptions = (extensionUri: vscode.Uri): vscode.WebviewOptions => ({
  enableScripts: true,
  enableForms: false,
  localResourceRoots: [pagesOf(extensionUri)],
});

/** Shows a built page. @param name of its script and its style sheet in dist/webview. */
export function showBuiltPage(webview: vscode.Webview, extensionUri: vscode.Uri, name: string, title: string): void {
  const file = (part: string) => String(webview.asWebviewUri(vscode.Uri.joinPath(pagesOf(extensionUri), part)));
  webview.html = pageHtml({
    cspSource: webview.cspSource,
    script: file(`${name}.js`),
    style: file(`${name}.css`),
    title,
    language: vscode.env.language,
    strings: pageStrings(),
  });
}
