/** Whether a path or URI is that of a sweep file. Without validators: the extension asks when it is activated. */
export const isSweepFile = (name: string): boolean => /\.sweep\.jsonc?$/i.test(name);
