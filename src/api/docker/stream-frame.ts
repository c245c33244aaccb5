import type { LogEntry } from '#engine/containers'

/** Docker's stream frame: the stream's number, three zero bytes, the length in four bytes, big-endian. */
export function framed(stream: LogEntry['stream'], line: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(8 + line.length)
  frame.writeUInt32BE(stream === 'stdout' ? 0x01_00_00_00 : 0x02_00_00_00, 0)
  frame.writeUInt32BE(line.length, 4)
  line.copy(frame, 8)
  return frame
}
