export function repositoryOf(args: string[], manifest: { repository?: { url?: string } }): string | null;
