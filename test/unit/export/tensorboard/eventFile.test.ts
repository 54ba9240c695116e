import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from '../../../../daemon/export/tensorboard/crc32c.js';
import { fileVersion, scalarEvent } from '../../../../daemon/export/tensorboard/eventFile.js';
import { runScalars } from '../../../../daemon/export/tensorboard/runScalars.js';
import type { RunEvent } from '../../../../daemon/protocol/events.js';

/** The messages that are written, by the published field numbers of event.proto and summary.proto. */
const { root } = protobuf.parse(`
syntax = "proto3";
message Value { string tag = 1; float simple_value = 2; }
message Summary { repeated Value value = 1; }
message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
`);
const Event = root.lookupType('Event');

/** Bit by bit, without a table: another way to the same remainder. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  return Number(crc ^ 0xffffffffn);
}
const slowMask = (crc: number) => Number((((BigInt(crc) >> 15n) | (BigInt(crc) << 17n)) + 0xa282ead8n) & 0xffffffffn);

/** Reads records by the published format; fails if a length or a checksum is wrong. */
function records(file: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(slowMask(slowCrc32c(file.subarray(at, at + 8))));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(data.length).toBe(length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(slowMask(slowCrc32c(data)));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

const decoded = (data: Buffer) =>
  Event.toObject(Event.decode(data), { longs: Number }) as {
    wall_time?: number;
    wallTime?: number;
    step?: number;
    fileVersion?: string;
    summary?: { value: { tag: string; simpleValue: number }[] };
  };

describe('CRC-32C', () => {
  it('is that of RFC 3720, appendix B.4', () => {
    const text = (bytes: number[]) => crc32c(Uint8Array.from(bytes)).toString(16);
    expect(text(Array.from({ length: 32 }, () => 0))).toBe('8a9136aa');
    expect(text(Array.from({ length: 32 }, () => 0xff))).toBe('62a8ab43');
    expect(text(Array.from({ length: 32 }, (_, i) => i))).toBe('46dd794e');
    expect(text(Array.from({ length: 32 }, (_, i) => 31 - i))).toBe('113fdb5c');
    expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283');
  });

  it('is masked as TFRecords have it', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(1000, 0x5a)])
      expect(maskedCrc32c(bytes)).toBe(slowMask(slowCrc32c(bytes)));
  });
});

describe('an event file', () => {
  it('reads back, by an independent decoder, as what was written', () => {
    const time = 1_700_000_000_123;
    const moments = [
      { time: time + 1, step: 0, values: [['train/l-step/loss', 0.5]] as const },
      { time: time + 2, step: 3_000_000_000, values: [['a/é', -1.5], ['b', NaN]] as const }, // prettier-ignore
    ];
    const file = Buffer.concat([fileVersion(time), ...moments.map(scalarEvent)]);
    const [version, first, second, ...rest] = records(file).map(decoded);
    expect(rest).toEqual([]);
    expect(version).toMatchObject({ wallTime: time / 1000, fileVersion: 'brain.Event:2' });
    expect(first!.summary!.value).toEqual([{ tag: 'train/l-step/loss', simpleValue: 0.5 }]);
    expect(second).toMatchObject({ wallTime: (time + 2) / 1000, step: 3_000_000_000 });
    expect(second!.summary!.value).toEqual([
      { tag: 'a/é', simpleValue: -1.5 },
      { tag: 'b', simpleValue: NaN },
    ]);
  });
});

describe('the scalars of a run', () => {
  it('have the step of their moment, a tag for each phase, and kept shares per layer', () => {
    const scalarsOf = runScalars();
    const perLayer = [
      { layer: 'fc1', weights: 100, kept: 10 },
      { layer: 'fc2', weights: 20, kept: 20 },
    ];
    const evaluation = { loss: 0.1, error: 0.02, samples: 10 };
    const events = [
      { time: 1, event: 'batch', phase: 'reference', step: 1, epoch: 0.1, loss: 2, learningRate: 0.1, samplesPerSecond: 9 }, // prettier-ignore
      { time: 2, event: 'batch', phase: 'retrain', step: 7, epoch: 0.1, loss: null, learningRate: 0.1, samplesPerSecond: 9 }, // prettier-ignore
      { time: 3, event: 'evaluation', at: 'theta', set: 'test', step: 7, ...evaluation },
      { time: 4, event: 'paused', step: 8 },
      { time: 5, event: 'done', reference: evaluation, theta: evaluation, retrained: evaluation, kept: 30, prunable: 120, perLayer, seconds: 1, folder: 'x' }, // prettier-ignore
    ] as RunEvent[];
    const [reference, retrain, theta, paused, done] = events.map(scalarsOf);
    expect(reference).toMatchObject({ time: 1, step: 1 });
    expect(reference!.values).toContainEqual(['train/reference/loss', 2]);
    expect(retrain!.values).toContainEqual(['train/retrain/loss', NaN]);
    expect(theta!.values).toEqual([
      ['loss/theta/test', 0.1],
      ['error/theta/test', 0.02],
    ]);
    expect(paused).toBeNull();
    expect(done!.step).toBe(8);
    expect(done!.values).toEqual(
      expect.arrayContaining([
        ['sparsity/kept_weights', 30],
        ['sparsity/kept_share', 0.25],
        ['sparsity/layer/fc1', 0.1],
        ['sparsity/layer/fc2', 1],
        ['error/result', 0.02],
      ]),
    );
  });
});
