/** Rejects the current layer or operation; the function's creator completes the message with the file and the layer's name. */
export type Refuse = (problem: string) => never;
