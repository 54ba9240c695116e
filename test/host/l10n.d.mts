export function collectTexts(): string[];
