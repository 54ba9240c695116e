/** The report of one run, or of a run beside its baselines: Markdown and self-contained HTML with the same content. Pure: text in, text out. */
import { escapeXml } from './curve.js';
import {
  type ReportExport,
  type ReportRun,
  type Table,
  budgetTable,
  last,
  latencyTable,
  layerTable,
  outputsTable,
  resultTable,
  settingsTable,
  sizesTable,
  survivorsTable,
} from './reportTables.js';
import { curves, pathTable } from './reportCurves.js';

const markdownTable = (table: Table): string => {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    `## ${table.title}`,
    '',
    line(table.header),
    line(table.header.map(() => '---')),
    ...table.rows.map(line),
    '',
  ].join('\n');
};

const htmlTable = (table: Table): string => {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('');
  return `<h2>${escapeXml(table.title)}</h2><table><thead><tr>${cells('th scope="col"', table.header).replaceAll('</th scope="col">', '</th>')}</tr></thead><tbody>${table.rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table>`;
};

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
table{border-collapse:collapse;margin:0.5rem 0 1.5rem}th,td{border-bottom:1px solid #8884;padding:0.3rem 0.8rem;text-align:left}
td:not(:first-child){font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto;display:block;margin:1rem 0}
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}}`;

/**
 * @param runs the run itself first, then its baselines. All have ended with `done`.
 * @param exported of the first run: measureModel and thin of its result.
 */
export function renderReport(runs: readonly ReportRun[], exported?: ReportExport): { markdown: string; html: string } {
  const first = runs[0]!;
  const title = `Pruning report: ${first.name}`;
  const onDisk = exported ? [sizesTable(exported.sizes), survivorsTable(exported.thinned)] : [];
  if (exported?.latency) onDisk.push(latencyTable(exported.latency));
  const tables = [
    resultTable(runs),
    ...outputsTable(runs),
    ...budgetTable(runs),
    ...pathTable(runs),
    layerTable(runs),
    ...onDisk,
    settingsTable(first),
  ];
  const notes = runs.flatMap((run) =>
    run.events.flatMap((event) => (event.event === 'warning' || event.event === 'engine' ? [event.message] : [])),
  );
  const findings = last(first, 'done')?.findings?.map(({ message }) => message) ?? [];
  const markdownFindings = findings.map((message) => `**${message}.**\n`);
  const htmlFindings = findings.map((message) => `<p><strong>${escapeXml(message)}.</strong></p>`).join('');
  const markdownNotes = notes.length > 0 ? `## Notes\n\n${notes.map((note) => `- ${note}`).join('\n')}\n` : '';
  const htmlNotes =
    notes.length > 0 ? `<h2>Notes</h2><ul>${notes.map((note) => `<li>${escapeXml(note)}</li>`).join('')}</ul>` : '';
  return {
    markdown: [`# ${title}`, '', ...markdownFindings, ...tables.map(markdownTable), markdownNotes].join('\n'),
    html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeXml(title)}</title><style>${STYLE}</style></head><body><h1>${escapeXml(title)}</h1>${htmlFindings}${htmlTable(tables[0]!)}${curves(runs).join('')}${tables.slice(1).map(htmlTable).join('')}${htmlNotes}</body></html>`,
  };
}
