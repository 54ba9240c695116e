/** Whether the beginning of a JSON file looks like a model's: enough to decide if the daemon should start for it. The daemon parses it properly. */
export const isModelText = (head: string): boolean =>
  /^\s*\{/.test(head) && /"(modelTopology|weightsManifest|model_config)"|"(layers|graph)-model"/.test(head);
