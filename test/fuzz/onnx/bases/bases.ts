/** The valid files that are made wrong: of exporters, and one for each rule of the lowering. */
import { readdirSync, readFileSync } from 'node:fs';
import { fixture, fixturePath, fixtures, model } from '../../../unit/onnx/file/protos.js';
import { OPERATOR_BASES } from './operators.js';

export interface Base {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const exported = fixturePath('zoo');

export const BASES: readonly Base[] = [
  { name: 'by hand', bytes: model() },
  ...fixtures.map((name) => ({ name, bytes: fixture(name) })),
  ...readdirSync(exported)
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => ({ name, bytes: readFileSync(`${exported}/${name}`) })),
  ...OPERATOR_BASES.map(([name, bytes]) => ({ name, bytes })),
];
