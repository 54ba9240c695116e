import type { TableName } from '../../daemon/protocol/telemetry/columns.js';
import type { ColumnPatch, WirePatch } from '../../webview/messages/monitor.js';

const encode = (columns: Record<string, Float64Array>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    ]),
  );

/** Columns in the form in which they go to the page. */
export const toWire = (tables: Partial<Record<TableName, ColumnPatch>>): Partial<Record<TableName, WirePatch>> =>
  Object.fromEntries(
    Object.entries(tables).map(([name, { reset, columns, halved }]) => [
      name,
      { reset, columns: encode(columns), ...(halved && { halved: encode(halved) }) },
    ]),
  );
