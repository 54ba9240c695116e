export function stageExtension(): string;
/** Where the extension is staged. */
export const STAGED: string;
