export function extensionPage(markdown: string, folder: string): string;
