import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import type { ResolvedImage } from '#api/glovebox'
import { type Clock, during, isKind, messageOf, shortId } from '#base'
import type { Client } from '#client'
import type { BuildSpec, ServiceSpec } from '#cluster/spec'

import { cliError } from '../errors.ts'
import type { Progress } from '../output/progress.ts'
import { tookText } from '../output/units.ts'
import { baseImages } from './base-images.ts'
import { bootstrapImage } from './bootstrap.ts'
import { buildImage } from './build-image.ts'

export interface ImagesOptions {
  readonly usesCache: boolean
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** A build from the cache takes less, and is not worth a sentence. */
const SLOW_BUILD_MS = 1000

/** Sees to it that each service's image is here: builds those that say how, and bootstraps Debian bases. Pulls nothing. */
export async function provideImages(
  services: readonly ServiceSpec[],
  client: Client,
  show: Progress,
  options: ImagesOptions,
): Promise<Readonly<Record<string, ResolvedImage>>> {
  const needed = new Map<string, string>()
  for (const service of services) for (const image of imagesOf(service)) needed.set(image, service.name)
  for (const [image, service] of needed) await provideImage(image, service, client, show, options)
  const built = new Map<string, string>()
  const resolved: Record<string, ResolvedImage> = {}
  for (const service of services) {
    const reference = service.task.image
    // Services with the same context and the same name share one build.
    const key = JSON.stringify([service.build, reference])
    const id =
      built.get(key) ??
      (service.build === null ? await idOf(reference, client) : await build(service, service.build, client, show, options))
    built.set(key, id)
    resolved[service.name] = { reference, id }
  }
  return resolved
}

/** Images of others: the bases of what is built, and what is not built. */
function imagesOf(service: ServiceSpec): readonly string[] {
  if (service.build === null) return [service.task.image]
  const file = resolve(service.build.context, service.build.dockerfile)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw cliError('cli.not_found', `service ${service.name}: cannot read its Dockerfile ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return baseImages({ file, text, args: service.build.args })
}

const BOOTSTRAPPABLE = /^(?:docker\.io\/(?:library\/)?)?debian:[a-z0-9.-]+$/

async function provideImage(
  image: string,
  service: string,
  client: Client,
  show: Progress,
  options: ImagesOptions,
): Promise<void> {
  try {
    await client.images.inspect(image)
    return
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error
  }
  if (!BOOTSTRAPPABLE.test(image))
    throw cliError('cli.not_found', `service ${service} needs the image ${image}, which is not here`, {
      hint: 'Build it, or bring it with `glovebox image load` or `glovebox image import`.',
    })
  await bootstrapImage(client, image, show, options)
}

async function idOf(reference: string, client: Client): Promise<string> {
  return (await client.images.inspect(reference)).Id
}

async function build(
  service: ServiceSpec,
  spec: BuildSpec,
  client: Client,
  show: Progress,
  options: ImagesOptions,
): Promise<string> {
  const { clock } = options
  const item = `build ${service.name}`
  const startedMs = clock.monotonicMs()
  show.update(item, 'building')
  using _slow = clock.after(SLOW_BUILD_MS, () => show.say(`Building ${service.name} in ${spec.context}.`))
  try {
    const onLine = (line: string) => line.trim() !== '' && show.update(item, 'building', line)
    const tags = [service.task.image]
    const id = await buildImage({ ...spec, tags, usesCache: options.usesCache }, client, onLine, options.signal)
    const tookMs = clock.monotonicMs() - startedMs
    show.update(item, 'built', `${shortId(id)}, ${tookText(tookMs)}`)
    if (tookMs >= SLOW_BUILD_MS) show.say(`Built ${service.name} in ${tookText(tookMs)}.`)
    return id
  } catch (error) {
    show.update(item, 'failed')
    throw during(`service ${service.name}`, error)
  }
}
