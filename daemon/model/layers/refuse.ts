/** Refuses the layer or the operation at hand; whoever hands it out completes the message with the file and the layer's name. */
export type Refuse = (problem: string) => never;
