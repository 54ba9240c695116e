/** The text of a new plan file: short, with the settings people change first. */
export function planText(plan: { model: string; data: string; keep?: string; budget?: object }): string {
  const budget = JSON.stringify(plan.budget ?? { keep: plan.keep ?? '1%' }, null, 1).replace(/\n\s*/g, ' ');
  return `{
  "model": ${JSON.stringify(plan.model)},
  "data": ${JSON.stringify(plan.data)},
  // What the result must fit: keep ("1%"), weights (2662), bytes ("40 kB"), flops ("50%"), neurons...
  "budget": ${budget}
}
`;
}
