import { backoffMs, messageOf, type BackoffPolicy, type Clock, type Log } from '#base'
import type { MetricFamily, MetricRegistry, Reading } from '#observe/metrics'

import { packSnappy } from './snappy.ts'
import { encodeLabels, encodeMetadata, encodeSeries, type RemoteSeries } from './write-request.ts'

/** What the receiver said. */
export interface RemoteAnswer {
  readonly status: number
  /** How long it wants to be left alone; null: it does not say. */
  readonly retryAfterMs: number | null
  /** The beginning of what it said, for the log. */
  readonly text: string
}

export interface RemoteWritePorts {
  /** Sends one request. Rejects when there was no answer, or when the signal ends the wait for it. */
  readonly post: (body: Uint8Array, signal: AbortSignal) => Promise<RemoteAnswer>
  readonly clock: Clock
  readonly log: Log
  readonly registry: MetricRegistry
  /** On every series, by which its receiver tells this machine from others. */
  readonly external: Readonly<Record<string, string>>
  /** Of requests that wait; `MAX_QUEUE_BYTES` unless told. */
  readonly maxQueueBytes?: number
}

export interface RemoteWrite extends AsyncDisposable {
  /** Takes a reading over; sends it as soon as those before it are sent. */
  offer(atMs: number, reading: Reading): void
}

/** Series of one request: some 10 KB packed. Receivers refuse requests of many megabytes. */
const SERIES_AT_ONCE = 2000
/** Requests that wait: an hour of 200 containers. Then the oldest go. */
const MAX_QUEUE_BYTES = 32 * 1024 * 1024
const RETRY: BackoffPolicy = { firstMs: 1000, maxMs: 60_000 }
const TOO_MANY = 429
/** Types and helps are sent seldom: receivers keep them. */
const METADATA_EVERY_MS = 60_000
/** Labels that are kept as they are written; then all are made anew. */
const MAX_KEPT_LABELS = 200_000

interface Waiting {
  readonly body: Uint8Array
  readonly samples: number
}

/** Sends each reading to a receiver of Prometheus remote write 1.0, in order. What it refuses is dropped; while it does not answer, requests wait within a bound. */
export function startRemoteWrite(ports: RemoteWritePorts): RemoteWrite {
  const { clock, log, registry, external, maxQueueBytes = MAX_QUEUE_BYTES } = ports
  const samples = registry.counter({
    name: 'glovebox_remote_write_samples_total',
    help: 'Samples by what came of them: sent, refused by the receiver, or dropped for it did not answer for so long.',
    labels: ['outcome'],
  })
  const retries = registry.counter({
    name: 'glovebox_remote_write_retries_total',
    help: 'Requests that were sent again.',
    labels: [],
  })
  const waitingBytes = registry.gauge({ name: 'glovebox_remote_write_queue_bytes', help: 'Requests that wait.', labels: [] })
  const lastSent = registry.gauge({
    name: 'glovebox_remote_write_last_success_timestamp_seconds',
    help: 'When the receiver took something last, in seconds since 1970.',
    labels: [],
  })
  const queue: Waiting[] = []
  const closing = new AbortController()
  const labels = new Map<string, Uint8Array>()
  let before = new Set<string>()
  let queuedBytes = 0
  let metadataMs = -Infinity
  let sending: Promise<void> | undefined

  const labelsFor = (key: string, name: string, text: string): Uint8Array => {
    const known = labels.get(key)
    if (known !== undefined) return known
    if (labels.size >= MAX_KEPT_LABELS) labels.clear()
    const made = encodeLabels(name, text, external)
    labels.set(key, made)
    return made
  }

  const add = (body: Uint8Array, count: number) => {
    const packed = packSnappy(body)
    queue.push({ body: packed, samples: count })
    queuedBytes += packed.length
    // The first is on its way.
    while (queuedBytes > maxQueueBytes && queue.length > 2) {
      const [dropped] = queue.splice(1, 1)
      queuedBytes -= dropped?.body.length ?? 0
      samples.add(['dropped'], dropped?.samples ?? 0)
    }
    waitingBytes.set([], queuedBytes)
  }

  const send = async () => {
    let failures = 0
    for (let next = queue[0]; next !== undefined && !closing.signal.aborted; next = queue[0]) {
      const outcome = await sendOne(next, ports, closing.signal)
      if (closing.signal.aborted) return
      if (outcome.isDone) {
        failures = 0
        queue.shift()
        queuedBytes -= next.body.length
        waitingBytes.set([], queuedBytes)
        samples.add([outcome.problem === null ? 'sent' : 'refused'], next.samples)
        if (outcome.problem === null) lastSent.set([], clock.nowMs() / 1000)
        else log.warn('metrics were refused by who was to take them', { problem: outcome.problem })
        continue
      }
      failures += 1
      retries.add([])
      if (failures === 1) log.warn('metrics cannot be sent: they wait', { problem: outcome.problem })
      await clock.sleep(Math.max(outcome.retryAfterMs ?? 0, backoffMs(RETRY, failures)), closing.signal).catch(() => undefined)
    }
  }

  return {
    offer: (atMs, { families }) => {
      if (closing.signal.aborted) return
      const { series, keys } = seriesOf(families, labelsFor)
      for (const key of before) {
        const known = keys.has(key) ? undefined : labels.get(key)
        if (known !== undefined) series.push({ labels: known, value: 'stale' })
      }
      before = keys
      for (let at = 0; at < series.length; at += SERIES_AT_ONCE) {
        const some = series.slice(at, at + SERIES_AT_ONCE)
        add(encodeSeries(some, atMs), some.length)
      }
      if (clock.monotonicMs() - metadataMs >= METADATA_EVERY_MS) {
        metadataMs = clock.monotonicMs()
        add(encodeMetadata(families), 0)
      }
      sending ??= send().finally(() => {
        sending = undefined
      })
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      await sending
    },
  }
}

function seriesOf(
  families: readonly MetricFamily[],
  labelsFor: (key: string, name: string, text: string) => Uint8Array,
): { readonly series: RemoteSeries[]; readonly keys: Set<string> } {
  const series: RemoteSeries[] = []
  const keys = new Set<string>()
  for (const family of families)
    for (const { suffix, labels, value } of family.samples) {
      const name = family.name + suffix
      const key = `${name}{${labels}`
      keys.add(key)
      series.push({ labels: labelsFor(key, name, labels), value })
    }
  return { series, keys }
}

interface Outcome {
  /** It is not to be sent again. */
  readonly isDone: boolean
  readonly problem: string | null
  readonly retryAfterMs: number | null
}

/** Remote write 1.0: 2xx is taken, 5xx and 429 may be sent again, others never. */
async function sendOne({ body }: Waiting, { post }: RemoteWritePorts, ending: AbortSignal): Promise<Outcome> {
  try {
    const { status, retryAfterMs, text } = await post(body, ending)
    if (status >= 200 && status < 300) return { isDone: true, problem: null, retryAfterMs: null }
    return { isDone: status < 500 && status !== TOO_MANY, problem: `status ${status}: ${text}`, retryAfterMs }
  } catch (error) {
    return { isDone: false, problem: messageOf(error), retryAfterMs: null }
  }
}
