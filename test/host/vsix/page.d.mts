export function extensionPage(markdown: string, folder: string, root?: string | null): string;
