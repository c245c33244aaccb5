import { sendEmpty, sendStream } from '#api/http'
import type { Archives, PathStat } from '#engine/archives'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { idOf } from './ids.ts'

/** HEAD /containers/{id}/archive. */
export async function statArchive(call: Call, context: RouteContext): Promise<void> {
  showStat(call, await archivesOf(context).stat(idOf(call), pathOf(call)))
  sendEmpty(call.response, 200)
}

/** GET /containers/{id}/archive. */
export async function readArchive(call: Call, context: RouteContext): Promise<void> {
  const { stat, content } = await archivesOf(context).get(idOf(call), pathOf(call))
  showStat(call, stat)
  await sendStream(call.response, 'application/x-tar', content)
}

/** PUT /containers/{id}/archive. */
export async function writeArchive(call: Call, context: RouteContext): Promise<void> {
  const { query } = call
  await archivesOf(context).put(idOf(call), pathOf(call), call.request, {
    noOverwriteDirNonDir: query.bool('noOverwriteDirNonDir'),
    copyUidGid: query.bool('copyUIDGID'),
  })
  sendEmpty(call.response, 200)
}

export function archivesOf({ engine }: RouteContext): Archives {
  if (engine.archives === undefined)
    throw dockerError('docker.route_unsupported', 'copying files between containers and the host is not supported')
  return engine.archives
}

function pathOf({ query }: Call): string {
  const path = query.text('path')
  if (path === '') throw dockerError('docker.parameter_missing', 'bad parameter: path cannot be empty')
  return path
}

/** What lies at the path, where there may be no body to say it: base64 of JSON, the mode in Go's numbers. */
function showStat({ response }: Call, { name, sizeBytes, mode, modifiedAt, linkTarget }: PathStat): void {
  const json = JSON.stringify({ name, size: sizeBytes, mode, mtime: modifiedAt, linkTarget })
  response.setHeader('X-Docker-Container-Path-Stat', Buffer.from(json).toString('base64'))
}
