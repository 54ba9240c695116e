/**
 * TensorBoard's event files: TFRecords (tensorflow/core/lib/io/record_writer.h) of `Event` messages
 * (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto).
 */
import { Message } from '../../onnx/emit/message.js';
import { maskedCrc32c } from './crc32c.js';

/** Scalars of one moment. */
export interface Scalars {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Training steps since the run's beginning. */
  readonly step: number;
  readonly values: readonly (readonly [tag: string, value: number])[];
}

/** Length (uint64), its masked CRC-32C, the data, its masked CRC-32C; all little-endian. */
export function tfRecord(data: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(data.length + 16);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return record;
}

/** The first record of every event file. @param time milliseconds since 1970. */
export const fileVersion = (time: number): Buffer =>
  tfRecord(
    new Message()
      .double(1, time / 1000)
      .text(3, 'brain.Event:2')
      .finish(),
  );

export function scalarEvent({ time, step, values }: Scalars): Buffer {
  const summary = new Message().messages(1, values, ([tag, value]) => new Message().text(1, tag).float(2, value));
  return tfRecord(
    new Message()
      .double(1, time / 1000)
      .int(2, step)
      .message(5, summary)
      .finish(),
  );
}
