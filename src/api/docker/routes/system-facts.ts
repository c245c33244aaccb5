import { sendJson, startStream, write } from '#api/http'
import type { ContainerRecord } from '#engine/containers'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { eventTest } from '../event-filter.ts'
import { swarmInfo } from '../swarm/swarm-json.ts'
import { readTimestampNs } from '../timestamps.ts'
import { containerSummary } from '../translate/container-json.ts'
import { eventLine } from '../translate/event-json.ts'
import { imageSummary, layerBytes, sharedBytes } from '../translate/image-json.ts'
import { infoJson, versionJson } from '../translate/system-json.ts'
import { volumeJson } from '../translate/volume-json.ts'

export function showVersion({ response }: Call, { engine }: RouteContext): void {
  sendJson(response, 200, versionJson(engine.system.version()))
}

export function showInfo({ response, minor }: Call, { engine, clock }: RouteContext): void {
  const around = {
    version: engine.system.version().version,
    containers: engine.containers.list(),
    images: engine.images.list().length,
    minor,
    swarm: swarmInfo(engine.swarm?.current() ?? null, engine.swarm?.nodeId ?? ''),
    systemTime: new Date(clock.nowMs()).toISOString(),
  }
  sendJson(response, 200, infoJson(engine.system.info(), around))
}

/** GET /events. Ends at `until`, or when the client leaves. */
export async function streamEvents(call: Call, { engine, clock }: RouteContext): Promise<void> {
  const { query, response, signal } = call
  const nowNs = clock.nowNs()
  const sinceNs = readTimestampNs(query.text('since'), 'since', nowNs)
  const untilNs = readTimestampNs(query.text('until'), 'until', nowNs)
  if (sinceNs !== null && untilNs !== null && untilNs < sinceNs)
    throw dockerError(
      'docker.field_invalid',
      `\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`,
    )
  const isWanted = eventTest(query.text('filters'))
  const events = engine.events.subscribe({ sinceNs, untilNs, signal })
  startStream(response, 'application/json')
  try {
    for await (const event of events) if (isWanted(event) && !(await write(response, eventLine(event), signal))) return
  } catch (error) {
    if (!signal.aborted) throw error
  }
  response.end()
}

const DF_TYPES = ['container', 'image', 'volume', 'build-cache']
/** Before 1.42 everything was counted, and the builder's share had a field that was always 0. */
const FIRST_MINOR_WITH_TYPES = 42

/** GET /system/df. Sizes cost a walk over each volume and writable layer, so only those asked for. */
export async function showDiskUsage({ query, minor, response }: Call, { engine, clock }: RouteContext): Promise<void> {
  const types = minor < FIRST_MINOR_WITH_TYPES ? [] : query.texts('type')
  const unknown = types.find((type) => !DF_TYPES.includes(type))
  if (unknown !== undefined) throw dockerError('docker.field_invalid', `unknown object type: ${unknown}`)
  const wants = (type: string) => types.length === 0 || types.includes(type)
  const containers = engine.containers.list()
  const images = engine.images.list()
  sendJson(response, 200, {
    ...(wants('image')
      ? {
          LayersSize: layerBytes(images),
          Images: images.map((image) =>
            imageSummary(image, { minor, sharedBytes: sharedBytes(image, images), containers: usersOf(image.id, containers) }),
          ),
        }
      : {}),
    ...(wants('container') ? { Containers: await sized(containers, minor, { engine, clock }) } : {}),
    ...(wants('volume') ? { Volumes: await volumesWithUsage(engine) } : {}),
    ...(wants('build-cache') ? { BuildCache: buildCache(engine, minor) } : {}),
    ...(minor < FIRST_MINOR_WITH_TYPES ? { BuilderSize: 0 } : {}),
  })
}

function usersOf(imageId: string, containers: readonly ContainerRecord[]): number {
  return containers.filter((record) => record.spec.imageId === imageId).length
}

async function sized(
  records: readonly ContainerRecord[],
  minor: number,
  { engine, clock }: Pick<RouteContext, 'engine' | 'clock'>,
) {
  const summaries = []
  for (const record of records) {
    const size = await engine.containers.size(record.id)
    summaries.push(containerSummary(record, { minor, nowMs: clock.nowMs(), size }))
  }
  return summaries
}

async function volumesWithUsage(engine: RouteContext['engine']) {
  const volumes = []
  for (const volume of engine.volumes.list()) {
    const sizeBytes = await engine.volumes.usageBytes(volume.name)
    volumes.push(volumeJson(volume, { sizeBytes, refCount: engine.volumes.users(volume.name).length }))
  }
  return volumes
}

function buildCache(engine: RouteContext['engine'], minor: number) {
  return (engine.build?.usage() ?? []).map((entry) => ({
    ID: entry.id,
    ...(minor < FIRST_MINOR_WITH_TYPES ? { Parent: '' } : { Parents: null }),
    Type: entry.kind,
    Description: entry.description,
    InUse: entry.isInUse,
    Shared: entry.isShared,
    Size: entry.sizeBytes,
    CreatedAt: entry.createdAt,
    LastUsedAt: entry.lastUsedAt,
    UsageCount: entry.usageCount,
  }))
}
