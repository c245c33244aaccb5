import { isKind } from '#base'
import { sendJson, startStream, write } from '#api/http'
import type { ContainerRecord, ContainerUsage } from '#engine/containers'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { statsJson } from '../translate/stats-json.ts'
import { idOf } from './ids.ts'

/** The pace that clients expect of the stream. */
const INTERVAL_MS = 1000

/** GET /containers/{id}/stats. One answer after two samples, one after a single sample (one-shot), or one a second for as long as the container exists. */
export async function streamStats(call: Call, { engine, clock }: RouteContext): Promise<void> {
  const { query, response, signal } = call
  const isStream = query.bool('stream', true)
  const isOneShot = query.bool('one-shot')
  if (isStream && isOneShot) throw dockerError('docker.option_conflict', 'cannot have stream=true and one-shot=true')
  const { id } = engine.containers.get(idOf(call))
  let record: ContainerRecord | undefined = engine.containers.get(id)
  let previous = isOneShot ? null : await sample(engine, record)
  if (!isStream) {
    if (previous !== null) await clock.sleep(INTERVAL_MS, signal)
    return sendJson(response, 200, statsJson(record, await sample(engine, record), previous))
  }
  startStream(response, 'application/json')
  // The first line has nothing before it to compare with, and comes at once.
  let now = previous
  previous = null
  while (record !== undefined && (await write(response, `${JSON.stringify(statsJson(record, now, previous))}\n`, signal))) {
    await clock.sleep(INTERVAL_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    record = find(engine, id)
    previous = now
    now = record === undefined ? null : await sample(engine, record)
  }
  response.end()
}

/** null while it does not run. */
async function sample(engine: RouteContext['engine'], record: ContainerRecord): Promise<ContainerUsage | null> {
  if (record.status.state !== 'running' && record.status.state !== 'paused') return null
  try {
    return await engine.containers.stats(record.id)
  } catch (error) {
    // It stopped between the look at its record and the look at its cgroup.
    if (isKind(error, 'not_found') || isKind(error, 'conflict')) return null
    throw error
  }
}

function find(engine: RouteContext['engine'], id: string): ContainerRecord | undefined {
  try {
    return engine.containers.get(id)
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined
    throw error
  }
}
