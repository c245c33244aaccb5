import { labelsOf, type MetricFamily, type MetricType } from '#observe/metrics'

/*
 * WriteRequest of Prometheus remote write 1.0 (prompb/remote.proto and types.proto), as protobuf writes it:
 *   WriteRequest   1: TimeSeries*   3: MetricMetadata*
 *   TimeSeries     1: Label*        2: Sample*
 *   Label          1: name          2: value
 *   Sample         1: double value  2: int64 timestamp in milliseconds
 *   MetricMetadata 1: type          2: family name      4: help
 */

const LENGTH_DELIMITED = 2
const SERIES = (1 << 3) | LENGTH_DELIMITED
const METADATA = (3 << 3) | LENGTH_DELIMITED
const LABEL = (1 << 3) | LENGTH_DELIMITED
const SAMPLE = (2 << 3) | LENGTH_DELIMITED
const FIRST_TEXT = (1 << 3) | LENGTH_DELIMITED
const SECOND_TEXT = (2 << 3) | LENGTH_DELIMITED
const HELP = (4 << 3) | LENGTH_DELIMITED
const DOUBLE = (1 << 3) | 1
const TIMESTAMP = 2 << 3
const TYPE = 1 << 3

const TYPES: Readonly<Record<MetricType, number>> = { untyped: 0, counter: 1, gauge: 2, histogram: 3, summary: 5 }

/** `stale`: the series has ended. */
export type RemoteValue = number | 'stale'

export interface RemoteSeries {
  /** Its labels, as `encodeLabels` writes them. */
  readonly labels: Uint8Array
  readonly value: RemoteValue
}

/** All labels of a series with its name among them, sorted by name as receivers want them. */
export function encodeLabels(name: string, labelText: string, external: Readonly<Record<string, string>>): Uint8Array {
  const all = { ...external, ...labelsOf(labelText), ['__name__']: name }
  const sorted = Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return joined(
    sorted.map(([label, value]) => {
      const pair = joined([field(FIRST_TEXT, Buffer.from(label)), field(SECOND_TEXT, Buffer.from(value))])
      return field(LABEL, pair)
    }),
  )
}

export function encodeSeries(series: readonly RemoteSeries[], atMs: number): Uint8Array {
  const time = varint(atMs)
  const sampleBytes = 1 + 8 + 1 + time.length
  const parts: Uint8Array[] = []
  for (const { labels, value } of series) {
    const head = joined([Buffer.from([SERIES]), varint(labels.length + 2 + sampleBytes)])
    const sample = Buffer.alloc(2 + sampleBytes)
    sample[0] = SAMPLE
    sample[1] = sampleBytes
    sample[2] = DOUBLE
    putValue(sample, value)
    sample[11] = TIMESTAMP
    sample.set(time, 12)
    parts.push(head, labels, sample)
  }
  return joined(parts)
}

/** What receivers show of a metric. */
export function encodeMetadata(families: readonly MetricFamily[]): Uint8Array {
  return joined(
    families.map(({ name, type, help }) =>
      field(
        METADATA,
        joined([Buffer.from([TYPE, TYPES[type]]), field(SECOND_TEXT, Buffer.from(name)), field(HELP, Buffer.from(help))]),
      ),
    ),
  )
}

/** Staleness marker of Prometheus: one NaN among all, which no number of JavaScript keeps. */
const STALE = Buffer.from([0x02, 0, 0, 0, 0, 0, 0xf0, 0x7f])

function putValue(sample: Buffer, value: RemoteValue): void {
  if (value === 'stale') sample.set(STALE, 3)
  else sample.writeDoubleLE(value, 3)
}

function field(tag: number, bytes: Uint8Array): Uint8Array {
  return joined([Buffer.from([tag]), varint(bytes.length), bytes])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  return Uint8Array.from([...bytes, rest])
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}
