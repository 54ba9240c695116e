import * as vscode from 'vscode';
import type { ExportFormat, LatencyFigures } from '../../daemon/protocol/messages.js';
import { bytes, microseconds, shortPercent, times } from '../../daemon/protocol/format.js';

export interface FormatItem extends vscode.QuickPickItem {
  readonly format: ExportFormat;
}

/** How much a network in this format computes, and how fast it is here, as far as either was measured. */
function speedOf({ network }: ExportFormat, { rows, flops }: LatencyFigures): string[] {
  const row =
    rows.find(({ what, batch }) => what === network && batch === 1) ?? rows.find(({ what }) => what === network);
  return [
    // The sparse module leaves out single weights, which no FLOPs of whole layers say.
    ...(network === 'pruned' || network === 'thinned'
      ? [vscode.l10n.t('{0} of the FLOPs', shortPercent(flops[network] / flops.pruned))]
      : []),
    ...(row
      ? [vscode.l10n.t('{0}, {1}× as fast', microseconds(row.microseconds / row.batch), times(row.speedup))]
      : []),
  ];
}

/** One line of the export's quick pick. @param speed null while it is being measured, or where it cannot be. */
export function formatItem(format: ExportFormat, speed: LatencyFigures | null): FormatItem {
  const size = [
    vscode.l10n.t('{0} gzip, {1} brotli', bytes(format.gzip), bytes(format.brotli)),
    // A dense format has room for every zero.
    format.ratio < 1.05 ? vscode.l10n.t('no smaller as it is') : vscode.l10n.t('{0}× smaller', times(format.ratio)),
  ].join(', ');
  return {
    label: format.name,
    description: bytes(format.bytes),
    detail: [size, ...(speed ? speedOf(format, speed) : [])].join('; '),
    format,
  };
}
