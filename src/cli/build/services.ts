import { type Clock, during, type KeyedLocks, keyedLocks, limiter } from '#base'
import type { Client } from '#client'
import type { BuildSource, SourceDockerfile } from '#client/context'
import type { BuildSpec } from '#cluster/spec'

import { painter } from '../output/colour.ts'
import type { BuildTrack } from './display.ts'
import { failureText } from './failure.ts'
import { serviceWish } from './order.ts'
import { runBuild } from './run-build.ts'
import type { Surroundings } from './secrets.ts'
import type { ImageWish } from './wish.ts'

export interface ServiceBuild {
  readonly service: string
  /** The image's name. */
  readonly reference: string
  readonly spec: BuildSpec
  /** Services whose images it takes: built before, if they are built. */
  readonly needs: readonly string[]
  readonly source: BuildSource
}

export interface ServiceBuildOptions {
  readonly client: Client
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly surroundings: Surroundings
  readonly usesCache: boolean
  readonly pulls: boolean
  readonly track: (service: string) => BuildTrack
  /** What is kept for the registries that a build speaks to. */
  readonly registryAuth: (wish: ImageWish, dockerfile: SourceDockerfile) => Promise<ImageWish['registryAuth']>
}

/** The daemon bounds how many commands run; more builds than this at a time only hold contexts open. */
const MAX_BUILDS = 8

/**
 * Builds several services side by side; equal ones once. A directory that several build from goes over once. The first failure ends the others.
 * Gives the image ids by service.
 */
export async function buildServices(
  builds: readonly ServiceBuild[],
  options: ServiceBuildOptions,
): Promise<Readonly<Record<string, string>>> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const turns = limiter(MAX_BUILDS)
  const contexts = keyedLocks()
  const running = new Map<string, Promise<string>>()
  const start = (build: ServiceBuild): Promise<string> => {
    const key = JSON.stringify([build.spec, build.reference])
    const known = running.get(key) ?? afterNeeds(build)
    running.set(key, known)
    return known
  }
  const afterNeeds = async (build: ServiceBuild): Promise<string> => {
    const before = builds.filter(({ service }) => build.needs.includes(service)).map(start)
    await Promise.all(before)
    return await turns.run(() => buildOne(build, { ...options, signal }, contexts))
  }
  const ids = builds.map(async (build) => [build.service, await start(build)] as const)
  try {
    return Object.fromEntries(await Promise.all(ids))
  } catch (error) {
    stop.abort()
    await Promise.allSettled(ids)
    throw error
  }
}

async function buildOne(build: ServiceBuild, options: ServiceBuildOptions, contexts: KeyedLocks): Promise<string> {
  const { service, source } = build
  const track = options.track(service)
  try {
    const wanted = serviceWish({ ...build, ...options }, options.surroundings)
    const wish = { ...wanted, registryAuth: await options.registryAuth(wanted, source.dockerfile) }
    const run: Client['builds']['run'] = (...words) => afterFirst(options.client.builds.run(...words), source.key, contexts)
    return await runBuild(source, wish, { ...options.client.builds, run }, track, options.signal)
  } catch (error) {
    const where = failureText(error, track.view(), source.dockerfile, painter(false))
    throw during(`${where === '' ? '' : `\n${where}`}service ${service}`, error)
  }
}

/** Holds the directory's lock until the first report: then the daemon has the context, and the next build of it has nothing to send. */
async function* afterFirst<T>(values: AsyncIterable<T>, key: string, locks: KeyedLocks): AsyncGenerator<T> {
  const iterator = values[Symbol.asyncIterator]()
  try {
    let next = await locks.run(key, () => iterator.next())
    for (; next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}
