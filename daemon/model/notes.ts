/** Collects the changes made on reading, one sentence per kind of change however many layers it applies to. */
export class Notes {
  private readonly byKind = new Map<string, string[]>();

  /** @param where the changed layer (or weight); none if it concerns the whole file. */
  add(kind: string, where?: string): void {
    const places = this.byKind.get(kind) ?? [];
    if (where !== undefined && !places.includes(where)) places.push(where);
    this.byKind.set(kind, places);
  }

  list(): string[] {
    return [...this.byKind].map(([kind, places]) => {
      if (places.length === 0) return kind;
      const shown = places.slice(0, 3).join(', ');
      return `${kind}: ${shown}${places.length > 3 ? ` and ${places.length - 3} more` : ''}`;
    });
  }
}
