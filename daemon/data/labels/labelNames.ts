/** Names under which a file may hold the targets of one of several outputs. */

/** @param output path of its layer ("head/reg"). */
export const labelNamesFor = (output: string): string[] => {
  const name = output.split('/').at(-1)!;
  return [`${name}_train`, `y_${name}_train`, `y_train_${name}`, `train_${name}`, name, `y_${name}`, `${name}_y`];
};
