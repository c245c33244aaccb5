import type { Collection } from '#engine/collection'
import { familyWriters, labelText, type MetricSource, type MetricSpec } from '#observe/metrics'
import type { Certificates } from '#traffic/certificates'

import type { Engine } from '../engine.ts'

const counter = (name: string, help: string): MetricSpec => ({ name, help, type: 'counter', isKept: true })
const gauge = (name: string, help: string): MetricSpec => ({ name, help, type: 'gauge', isKept: true })

const SPECS = {
  images: gauge('glovebox_images', 'Images of this machine.'),
  layers: gauge('glovebox_image_layers', 'Layers of them, each once.'),
  imageBytes: gauge('glovebox_images_size_bytes', 'What their layers take, each once.'),
  volumes: gauge('glovebox_volumes', 'Volumes of this machine.'),
  networks: gauge('glovebox_networks', 'Networks of this machine.'),
  containers: gauge('glovebox_containers', 'Containers of this machine by state.'),
  lastPass: gauge(
    'glovebox_collection_last_pass_timestamp_seconds',
    'When unused images were looked for last, in seconds since 1970.',
  ),
  minFree: gauge('glovebox_collection_min_free_bytes', 'Less free disk than this, and the longest unused images go.'),
  freed: counter('glovebox_collection_freed_bytes_total', 'What collection of unused images gave back.'),
  removed: counter('glovebox_collection_removed_total', 'What it removed, by kind.'),
  failures: counter('glovebox_collection_failures_total', 'What it could not remove.'),
  expiry: gauge('glovebox_certificate_expiry_timestamp_seconds', 'When the certificate of a route ends, in seconds since 1970.'),
} as const

/** Adding up layers takes a millisecond for each thousand; nobody pulls that often. */
const EVERY_MS = 30_000

export interface ContentSourceNeeds {
  readonly engine: Pick<Engine, 'images' | 'volumes' | 'networks' | 'containers'>
  readonly garbage: Pick<Collection, 'report'>
  readonly certificates: Pick<Certificates, 'expiries'>
}

/** What lies on the disk, what goes by itself, and what ends. */
export function contentSource({ engine, garbage, certificates }: ContentSourceNeeds): MetricSource {
  const collected = countedRuns()
  return {
    name: 'content',
    everyMs: EVERY_MS,
    read: () => {
      const { of, families } = familyWriters(SPECS)
      const images = engine.images.list()
      const layers = new Map(images.flatMap((image) => image.layers.map(({ diffId, sizeBytes }) => [diffId, sizeBytes] as const)))
      of.images.set('', images.length)
      of.layers.set('', layers.size)
      of.imageBytes.set(
        '',
        [...layers.values()].reduce((sum, bytes) => sum + bytes, 0),
      )
      of.volumes.set('', engine.volumes.list().length)
      of.networks.set('', engine.networks.list().length)
      for (const [state, count] of Object.entries(statesOf(engine.containers.list())))
        of.containers.set(labelText({ state }), count)
      const report = garbage.report()
      const totals = collected(report)
      of.lastPass.set('', report.lastPassAt === null ? undefined : Date.parse(report.lastPassAt) / 1000)
      of.minFree.set('', report.minFreeBytes)
      of.freed.set('', totals.freedBytes)
      for (const [kind, count] of Object.entries(totals.removed)) of.removed.set(labelText({ kind }), count)
      of.failures.set('', totals.failures)
      for (const { routeId, hosts, untilMs } of certificates.expiries())
        of.expiry.set(labelText({ route: routeId, host: hosts[0] ?? '' }), untilMs / 1000)
      return families()
    },
  }
}

function statesOf(records: ReturnType<Engine['containers']['list']>): Readonly<Record<string, number>> {
  const states: Record<string, number> = { created: 0, running: 0, paused: 0, restarting: 0, exited: 0 }
  for (const { status } of records) states[status.state] = (states[status.state] ?? 0) + 1
  return states
}

/** Of a list in which only the newest runs are, everything that came since the daemon began. */
function countedRuns() {
  let lastAt = ''
  const removed = { image: 0, cache: 0, directory: 0 }
  let freedBytes = 0
  let failures = 0
  return ({ runs }: ReturnType<Collection['report']>) => {
    for (const run of runs.filter(({ startedAt, isDryRun }) => startedAt > lastAt && !isDryRun)) {
      freedBytes += run.freedBytes
      failures += run.failures.length
      for (const { kind } of run.removed) removed[kind] += 1
    }
    lastAt = runs.reduce((latest, { startedAt }) => (startedAt > latest ? startedAt : latest), lastAt)
    return { freedBytes, removed, failures }
  }
}
