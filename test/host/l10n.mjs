// Collects the texts that people see (vscode.l10n.t in the extension, t in the page) into l10n/bundle.l10n.json, from which
// translations are made. test/unit/extension/l10n.test.ts fails where it is out of date.
//   node test/host/l10n.mjs
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** @returns {string[]} sorted texts */
export function collectTexts() {
  const texts = new Set();
  for (const room of ['extension', 'webview'])
    for (const entry of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
      const visit = (node) => {
        if (ts.isCallExpression(node) && /^(vscode\.l10n\.)?t$/.test(node.expression.getText(source))) {
          const [text] = node.arguments;
          if (text && ts.isStringLiteralLike(text)) texts.add(text.text);
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
  // Declared beside what they are titles of, in a room that translates nothing: columns of runs and of sweeps, and states of runs.
  for (const [name, titleAt] of [
    ['columns.ts', 1],
    ['sweepColumns.ts', 0],
  ]) {
    const columns = join(root, 'daemon/protocol/runs', name);
    const source = ts.createSourceFile(columns, readFileSync(columns, 'utf8'), ts.ScriptTarget.Latest, true);
    const declared = (node) => {
      const isTitle = ts.isPropertyAssignment(node) && node.name.getText(source) === 'title';
      const isSaid = ts.isCallExpression(node) && node.expression.getText(source) === 'say';
      const isColumn = ts.isCallExpression(node) && /^(text|number|error)Column$/.test(node.expression.getText(source));
      const text = isTitle ? node.initializer : isSaid ? node.arguments[0] : isColumn ? node.arguments[titleAt] : undefined; // prettier-ignore
      if (text && ts.isStringLiteralLike(text)) texts.add(text.text);
      ts.forEachChild(node, declared);
    };
    declared(source);
  }
  // Texts of the charts and of their curves.
  for (const name of ['charts.ts', 'columns.ts']) {
    const path = join(root, 'daemon/protocol/telemetry', name);
    const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
    const said = (node) => {
      if (ts.isPropertyAssignment(node) && /^(title|help|details|label|hint)$/.test(node.name.getText(file))) {
        const { initializer: text } = node;
        const all = ts.isArrayLiteralExpression(text) ? text.elements : [text];
        for (const one of all) if (ts.isStringLiteralLike(one)) texts.add(one.text);
      }
      ts.forEachChild(node, said);
    };
    said(file);
  }
  // What the budget box offers, beside the kind of budget that it is of.
  for (const name of readdirSync(join(root, 'daemon/lc/budgets/kinds'))) {
    const kind = readFileSync(join(root, 'daemon/lc/budgets/kinds', name), 'utf8');
    for (const [, offer] of kind.matchAll(/^ {4}offer: '([^']+)',$/gm)) texts.add(offer);
  }
  // Looked up by a variable: the states of a run.
  const names = readFileSync(join(root, 'daemon/protocol/runs/stateNames.ts'), 'utf8');
  for (const [, state] of names.matchAll(/^ {2}\w+: '([^']+)',$/gm)) texts.add(state);
  return Array.from(texts).sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const texts = collectTexts();
  writeFileSync(
    join(root, 'l10n/bundle.l10n.json'),
    `${JSON.stringify(Object.fromEntries(texts.map((text) => [text, text])), null, 2)}\n`,
  );
  console.log(`${texts.length} texts`);
}
