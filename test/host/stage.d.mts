export function stageExtension(): string;
