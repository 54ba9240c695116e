/** The table of layout.json. */
export interface Layout {
  readonly constants: Readonly<Record<string, { readonly value: number; readonly about: string }>>;
  readonly records: Readonly<Record<string, { readonly fields: readonly string[] }>>;
  readonly layouts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly operations: Readonly<Record<string, string>>;
  readonly steps: Readonly<Record<string, string>>;
}
export function readLayout(): Layout;
export function layoutHash(table: Layout): string;
/** Text of the generated files, by their path in daemon/engine/kernels. */
export function layoutFiles(table: Layout): Readonly<Record<string, string>>;
export function writeLayout(): void;
