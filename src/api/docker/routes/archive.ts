import { sendEmpty, sendStream } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import type { Archives } from '../engine.ts'
import { dockerError } from '../errors.ts'
import { idOf } from './ids.ts'

/** HEAD /containers/{id}/archive. */
export async function statArchive(call: Call, context: RouteContext): Promise<void> {
  const archives = archivesOf(context)
  call.response.setHeader('X-Docker-Container-Path-Stat', await pathStat(archives, idOf(call), pathOf(call)))
  sendEmpty(call.response, 200)
}

/** GET /containers/{id}/archive. */
export async function readArchive(call: Call, context: RouteContext): Promise<void> {
  const archives = archivesOf(context)
  call.response.setHeader('X-Docker-Container-Path-Stat', await pathStat(archives, idOf(call), pathOf(call)))
  await sendStream(call.response, 'application/x-tar', await archives.get(idOf(call), pathOf(call)))
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

function archivesOf({ engine }: RouteContext): Archives {
  if (engine.archives === undefined)
    throw dockerError('docker.route_unsupported', 'copying files between containers and the host is not supported')
  return engine.archives
}

function pathOf({ query }: Call): string {
  const path = query.text('path')
  if (path === '') throw dockerError('docker.parameter_missing', 'bad parameter: path cannot be empty')
  return path
}

async function pathStat(archives: Archives, container: string, path: string): Promise<string> {
  const { name, sizeBytes, mode, modifiedAt, linkTarget } = await archives.stat(container, path)
  return Buffer.from(JSON.stringify({ name, size: sizeBytes, mode, mtime: modifiedAt, linkTarget })).toString('base64')
}
