export function platformOf(bytes: Uint8Array): string | null;
