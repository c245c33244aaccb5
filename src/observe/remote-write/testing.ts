/** Readers of what is sent, for tests: the receiver's half of the formats. */

/** Snappy's block format. */
export function unpackSnappy(packed: Uint8Array): Uint8Array {
  let at = 0
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = packed[at++] ?? 0
    length += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  const output = new Uint8Array(length)
  let to = 0
  while (at < packed.length) {
    const tag = packed[at++] ?? 0
    if ((tag & 3) === 0) {
      let count = (tag >> 2) + 1
      if (count > 60) {
        const bytes = count - 60
        count = 1
        for (let index = 0; index < bytes; index += 1) count += (packed[at++] ?? 0) * 256 ** index
      }
      output.set(packed.subarray(at, at + count), to)
      at += count
      to += count
      continue
    }
    if ((tag & 3) !== 2) throw new Error(`a copy of the kind ${tag & 3} is not expected`)
    const count = (tag >> 2) + 1
    const offset = (packed[at] ?? 0) + (packed[at + 1] ?? 0) * 256
    at += 2
    if (offset === 0 || offset > to) throw new Error(`a copy from ${offset} before ${to}`)
    for (let index = 0; index < count; index += 1, to += 1) output[to] = output[to - offset] ?? 0
  }
  if (to !== length) throw new Error(`${to} bytes instead of ${length}`)
  return output
}

type Field = { readonly number: number; readonly bytes: Uint8Array; readonly value: number }

function fieldsOf(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const wire = tag & 7
    const size = wire === 1 ? 8 : wire === 2 ? varint() : 0
    const value = wire === 0 ? varint() : 0
    fields.push({ number: tag >> 3, bytes: bytes.subarray(at, at + size), value })
    at += size
  }
  return fields
}

const textOf = (field: Field | undefined) => Buffer.from(field?.bytes ?? []).toString('utf8')

export function decodeWriteRequest(bytes: Uint8Array) {
  const fields = fieldsOf(bytes)
  const of = (inner: readonly Field[], number: number) => inner.find((field) => field.number === number)
  return {
    series: fields
      .filter(({ number }) => number === 1)
      .map((one) => {
        const inner = fieldsOf(one.bytes)
        return {
          labels: inner
            .filter(({ number }) => number === 1)
            .map((label) => [textOf(of(fieldsOf(label.bytes), 1)), textOf(of(fieldsOf(label.bytes), 2))] as const),
          samples: inner
            .filter(({ number }) => number === 2)
            .map((sample) => {
              const [value, time] = fieldsOf(sample.bytes)
              const raw = Buffer.from(value?.bytes ?? [])
              return {
                value: raw.readDoubleLE(0),
                isStale: raw.readBigUInt64LE(0) === 0x7ff0000000000002n,
                atMs: time?.value ?? 0,
              }
            }),
        }
      }),
    metadata: fields
      .filter(({ number }) => number === 3)
      .map((one) => {
        const inner = fieldsOf(one.bytes)
        return { type: of(inner, 1)?.value, name: textOf(of(inner, 2)), help: textOf(of(inner, 4)) }
      }),
  }
}
