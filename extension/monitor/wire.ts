import type { ColumnPatch, TableName, WirePatch } from '../../webview/messages.js';

/** Columns in the form in which they go to the page. */
export const toWire = (tables: Partial<Record<TableName, ColumnPatch>>): Partial<Record<TableName, WirePatch>> =>
  Object.fromEntries(
    Object.entries(tables).map(([name, { reset, columns }]) => [
      name,
      {
        reset,
        columns: Object.fromEntries(
          Object.entries(columns).map(([column, { buffer, byteOffset, byteLength }]) => [
            column,
            Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
          ]),
        ),
      },
    ]),
  );
