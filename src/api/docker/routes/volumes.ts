import { readJson, sendEmpty, sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { patternTest, readFilters } from '../filters.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { readerOf } from '../translate/read.ts'
import { ANONYMOUS_LABEL, volumeJson } from '../translate/volume-json.ts'
import { nameOf } from './ids.ts'

const LIST_FILTERS = ['dangling', 'driver', 'label', 'label!', 'name']

export function listVolumes({ query, response }: Call, { engine }: RouteContext): void {
  const filters = readFilters(query.text('filters'), LIST_FILTERS)
  const dangling = filters.flag('dangling')
  const isName = patternTest(filters, 'name')
  const found = engine.volumes
    .list()
    .filter((volume) => isName(volume.name))
    .filter((volume) => filters.matches('driver', (driver) => driver === volume.driver))
    .filter((volume) => filters.matchesLabels(volume.isAnonymous ? { ...volume.labels, [ANONYMOUS_LABEL]: '' } : volume.labels))
    .filter((volume) => dangling === null || dangling === (engine.volumes.users(volume.name).length === 0))
  sendJson(response, 200, { Volumes: found.map((volume) => volumeJson(volume)), Warnings: null })
}

export function inspectVolume(call: Call, { engine }: RouteContext): void {
  sendJson(call.response, 200, volumeJson(engine.volumes.get(nameOf(call))))
}

export const VOLUME_BODY: FieldTable = {
  fields: { Name: 'taken', Driver: 'taken', DriverOpts: 'taken', Labels: 'taken', ClusterVolumeSpec: 'unused' },
}

export async function createVolume(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, VOLUME_BODY)
  const body = readerOf(json)
  const name = body.text('Name')
  const volume = await engine.volumes.create({
    name: name === '' ? null : name,
    driver: body.text('Driver') || 'local',
    driverOptions: body.textMap('DriverOpts'),
    labels: body.textMap('Labels'),
    isAnonymous: name === '',
  })
  sendJson(call.response, 201, volumeJson(volume))
}

export async function removeVolume(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.volumes.remove(nameOf(call), { force: call.query.bool('force') })
  sendEmpty(call.response, 204)
}
