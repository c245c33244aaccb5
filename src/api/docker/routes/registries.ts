import { isObject, readJson, sendJson } from '#api/http'
import { GloveboxError } from '#base'
import type { RawCredentials, Registries, RegistryProgress } from '#engine/registry'
import { parseReference } from '#oci/reference'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { sendJsonLines } from '../json-lines.ts'
import { platformOf, requirePlatform } from '../translate/platform.ts'

type Line = Readonly<Record<string, unknown>>

/** POST /images/create?fromImage=. */
export async function pullImage(call: Call, { engine }: RouteContext): Promise<void> {
  const { query, request, signal } = call
  const ref = withTag(query.text('fromImage'), query.text('tag'))
  const { tag, digest } = parseReference(ref)
  // What `docker pull --all-tags` sends; a client that wants `latest` says so.
  const isEveryTag = tag === null && digest === null
  const platform = query.text('platform') || null
  const credentials = readCredentials(request.headers['x-registry-auth'])
  await sendJsonLines(
    call,
    progressLines(registriesOf(engine.registries).pull({ ref, isEveryTag, platform, credentials, signal })),
  )
}

/** POST /images/{name}/push. */
export async function pushImage(call: Call, { engine }: RouteContext): Promise<void> {
  const { query, params, request, signal } = call
  const tag = query.text('tag') || null
  const platform = platformOf(query) ?? ''
  if (platform !== '') requirePlatform(platform, engine.images.get(`${params['name'] ?? ''}:${tag ?? 'latest'}`))
  const credentials = readCredentials(request.headers['x-registry-auth'])
  const progress = registriesOf(engine.registries).push({ name: params['name'] ?? '', tag, credentials, signal })
  await sendJsonLines(call, progressLines(progress))
}

/** GET /distribution/{name}/json. */
export async function inspectRemote(call: Call, { engine }: RouteContext): Promise<void> {
  const { params, request, response, signal } = call
  const credentials = readCredentials(request.headers['x-registry-auth'])
  const found = await registriesOf(engine.registries).inspect({ ref: params['name'] ?? '', credentials, signal })
  sendJson(response, 200, {
    Descriptor: { mediaType: found.mediaType, digest: found.digest, size: found.sizeBytes },
    Platforms: found.platforms.map(({ os, architecture, variant }) => ({
      architecture,
      os,
      ...(variant === '' ? {} : { variant }),
    })),
  })
}

/** POST /auth: clients keep the credentials, the daemon only tries them. */
export async function signIn(call: Call, { engine }: RouteContext): Promise<void> {
  const { request, response, signal } = call
  const credentials = textsOf(await readJson(request))
  try {
    await registriesOf(engine.registries).signIn({ credentials, signal })
  } catch (error) {
    // Clients tell a wrong password from other failures by the status, which no other route has.
    if (!(error instanceof GloveboxError) || error.code !== 'registry.unauthorized') throw error
    return sendJson(response, 401, { message: error.message })
  }
  sendJson(response, 200, { Status: 'Login Succeeded', IdentityToken: '' })
}

function registriesOf(registries: Registries | undefined): Registries {
  if (registries !== undefined) return registries
  throw dockerError('docker.route_unsupported', 'this daemon does not speak to registries', {
    hint: 'Load an archive (docker load), import a root file system (docker import) or build an image.',
  })
}

async function* progressLines(progress: AsyncIterable<RegistryProgress>): AsyncGenerator<Line> {
  for await (const step of progress) {
    const line = progressLine(step)
    if (line !== undefined) yield line
  }
}

/** Each line as dockerd writes it: clients draw bars of `progressDetail` and read digests out of `aux`. */
function progressLine(step: RegistryProgress): Line | undefined {
  switch (step.type) {
    case 'status':
      return { status: step.text, ...(step.id === undefined ? {} : { id: step.id }) }
    case 'layer':
      return { status: step.status, progressDetail: step.bytes ?? {}, id: step.id }
    case 'pushed':
      return { progressDetail: {}, aux: { Tag: step.tag, Digest: step.digest, Size: step.sizeBytes } }
    case 'pulled':
      return undefined
  }
}

function withTag(name: string, tag: string): string {
  if (tag === '') return name
  return tag.includes(':') ? `${name}@${tag}` : `${name}:${tag}`
}

/** X-Registry-Auth: base64url of a JSON object. */
export function readCredentials(header: string | readonly string[] | undefined): RawCredentials | null {
  if (typeof header !== 'string' || header === '') return null
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  } catch (error) {
    throw dockerError('docker.field_invalid', 'X-Registry-Auth is not base64 of JSON', { cause: error })
  }
  return isObject(parsed) ? textsOf(parsed) : null
}

function textsOf(fields: Readonly<Record<string, unknown>>): RawCredentials {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
