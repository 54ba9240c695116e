import * as vscode from 'vscode';
import type { ExportFormat, LatencyFigures } from '../../daemon/protocol/messages.js';
import { bytes, microseconds, percent, shortPercent, times } from '../../daemon/protocol/format.js';

export interface FormatItem extends vscode.QuickPickItem {
  /** null: a heading. */
  readonly format: ExportFormat | null;
}

const HEADINGS: Readonly<Record<ExportFormat['use'], () => string>> = {
  web: () => vscode.l10n.t('For the web'),
  python: () => vscode.l10n.t('For Python (Keras)'),
  onnx: () => vscode.l10n.t('For ONNX runtimes'),
  weights: () => vscode.l10n.t('Weights alone'),
};

/** The list of the export's quick pick: by use, in the order of `formats`. @param speed null: being measured, or not known. */
export function formatItems(formats: readonly ExportFormat[], speed: LatencyFigures | null): FormatItem[] {
  return formats.flatMap((format, i) => {
    const item = formatItem(format, speed);
    if (format.use === formats[i - 1]?.use) return [item];
    const heading = { label: HEADINGS[format.use](), kind: vscode.QuickPickItemKind.Separator, format: null };
    return [heading, item];
  });
}

/** How many FLOPs a network in this format takes, and its latency here, as far as either was measured. */
function speedOf({ network }: ExportFormat, { rows, flops }: LatencyFigures): string[] {
  const row =
    rows.find(({ what, batch }) => what === network && batch === 1) ?? rows.find(({ what }) => what === network);
  return [
    // The sparse module skips single weights, which FLOPs of whole layers do not show.
    ...(network === 'pruned' || network === 'thinned'
      ? [vscode.l10n.t('{0} of the FLOPs', shortPercent(flops[network] / flops.pruned))]
      : []),
    ...(row ? [latencyOf(row)] : []),
  ];
}

function latencyOf({ microseconds: time, batch, speedup }: LatencyFigures['rows'][number]): string {
  const perSample = microseconds(time / batch);
  return speedup === null ? perSample : vscode.l10n.t('{0}, {1}× as fast', perSample, times(speedup));
}

/** One line of the export's quick pick. @param speed null while it is being measured, or if it cannot be. */
export function formatItem(format: ExportFormat, speed: LatencyFigures | null): FormatItem {
  const size = [
    vscode.l10n.t('{0} gzip, {1} brotli', bytes(format.gzip), bytes(format.brotli)),
    // A dense format stores every zero.
    format.ratio < 1.05 ? vscode.l10n.t('no smaller as it is') : vscode.l10n.t('{0}× smaller', times(format.ratio)),
  ].join(', ');
  // The errors of formats that were measured when the run ended.
  const error = typeof format.error === 'number' ? [vscode.l10n.t('error {0}', percent(format.error))] : [];
  return {
    label: format.recommended ? `$(star-full) ${format.name}` : format.name,
    description: format.recommended ? vscode.l10n.t('{0}, recommended', bytes(format.bytes)) : bytes(format.bytes),
    detail: [size, ...error, ...(speed ? speedOf(format, speed) : [])].join('; '),
    format,
  };
}
