import type { Node } from '../../network/ir.js';

/** Where a tensor lies: a buffer's number and an offset in floats. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

/** A place in code: the buffer's number, or -1 for none, and the offset. */
export type Words = [buffer: number, offset: number];
export const words = (place: Place | undefined): Words => (place ? [place.buffer, place.offset] : [-1, 0]);

/** One number as the word that holds its float32 bits. */
export const floatBits = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;

/** What emission asks of the program around a unit. */
export interface Context {
  /** Undefined for what stays in a group's registers, and for constants of one number. */
  place(node: Node): Place | undefined;
  index(pool: Node): Place;
  temporary(floats: number): Place;
  inputsOf(node: Node): readonly Node[];
}
