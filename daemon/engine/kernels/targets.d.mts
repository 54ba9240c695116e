/** By the names of platforms that VS Code has. */
export const targets: Readonly<Record<string, object>>;
export function cannotBuild(target: string): string | null;
