/** By the names of platforms that VS Code has. */
export const targets: Readonly<Record<string, object>>;
/** What the addon calls in the program that loads it. */
export const nodeFunctions: readonly string[];
/** What the addon calls in macOS. */
export const darwinFunctions: readonly string[];
export function cannotBuild(target: string): string | null;
