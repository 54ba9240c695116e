/**
 * Whether the beginning of a JSON file is a model's: enough to decide if the daemon is worth starting for it. The daemon
 * looks properly.
 */
export const isModelText = (head: string): boolean =>
  /^\s*\{/.test(head) && /"(modelTopology|weightsManifest|model_config)"|"(layers|graph)-model"/.test(head);
