import type { ResolvedImage } from '#api/glovebox'
import { type Clock, during, isKind, shortId } from '#base'
import type { Client } from '#client'
import type { BuildSpec, PullPolicy, ServiceSpec } from '#cluster/spec'

import { checkBuildSpec, serviceSource } from '../build/order.ts'
import type { Surroundings } from '../build/secrets.ts'
import { servicesWithin, withServiceImages } from '../build/service-contexts.ts'
import { buildServices, type ServiceBuild, type ServiceBuildOptions } from '../build/services.ts'
import { afterNews, instructionText, newBuild, type BuildView } from '../build/view.ts'
import type { BuildTrack } from '../build/display.ts'
import { cliError } from '../errors.ts'
import type { Progress } from '../output/progress.ts'
import { tookText } from '../output/units.ts'
import { baseImages } from './base-images.ts'
import { bootstrapImage } from './bootstrap.ts'

export interface ImagesOptions {
  readonly client: Client
  readonly show: Progress
  readonly usesCache: boolean
  readonly pulls: boolean
  /** Whether what has a `build` is built though its image is here. */
  readonly builds: boolean
  /** By service; absent: `missing`. */
  readonly pullPolicies: Readonly<Record<string, PullPolicy>>
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly surroundings: Surroundings
  /** How builds are shown; by default a line for each. */
  readonly track?: (service: string) => BuildTrack
  /** What is kept for the registries that builds speak to. */
  readonly registryAuth: ServiceBuildOptions['registryAuth']
  /** Fetches an image from its registry. */
  readonly pull: (image: string) => Promise<void>
}

/** A build from the cache takes less, and is not worth a sentence. */
const SLOW_BUILD_MS = 1000

/**
 * Sees to it that each service's image is here: builds those that say how, makes Debian bases from packages, fetches what else is missing.
 * Builds run side by side.
 */
export async function provideImages(
  services: readonly ServiceSpec[],
  specs: Readonly<Record<string, BuildSpec>>,
  options: ImagesOptions,
): Promise<Readonly<Record<string, ResolvedImage>>> {
  for (const [service, spec] of Object.entries(specs)) checkBuildSpec(service, spec)
  await using open = new AsyncDisposableStack()
  const builds: ServiceBuild[] = []
  const references = Object.fromEntries(services.map(({ name, task }) => [name, task.image]))
  for (const { name, task } of services) {
    const spec = withServiceImages(name, specs, references)
    if (spec === undefined || (!options.builds && (await idOf(task.image, options.client)) !== undefined)) continue
    const source = open.use(
      await serviceSource(spec, options.clock).catch((error: unknown) => Promise.reject(during(`service ${name}`, error))),
    )
    const needs = servicesWithin(specs[name] ?? spec)
    builds.push({ service: name, reference: task.image, spec, needs, source })
  }
  for (const build of builds) await provideBases(build, options)
  const built = await buildServices(builds, { ...options, track: options.track ?? ((service) => lineTrack(service, options)) })
  const resolved: Record<string, ResolvedImage> = {}
  for (const { name, task } of services)
    resolved[name] = { reference: task.image, id: built[name] ?? (await provided(task.image, name, options)) }
  return resolved
}

const BOOTSTRAPPABLE = /^(?:docker\.io\/(?:library\/)?)?debian:[a-z0-9.-]+$/

/** Bases that need no registry; the builder fetches the others itself. */
async function provideBases({ spec, source }: ServiceBuild, { client, show, clock, signal }: ImagesOptions): Promise<void> {
  const { shown, text } = source.dockerfile
  // A Dockerfile that lies elsewhere says nothing here.
  if (text === '') return
  for (const image of baseImages({ file: shown, text, args: spec.args }))
    if (BOOTSTRAPPABLE.test(image) && (await idOf(image, client)) === undefined)
      await bootstrapImage(client, image, show, { clock, signal })
}

async function provided(image: string, service: string, options: ImagesOptions): Promise<string> {
  const { client, show, clock, signal } = options
  const policy = options.pullPolicies[service] ?? 'missing'
  const id = await idOf(image, client)
  if (id !== undefined && policy !== 'always') return id
  if (policy === 'never' || policy === 'build')
    throw cliError(
      'cli.not_found',
      `service ${service} needs the image ${image}, which is not here, and its pull_policy is ${policy}`,
    )
  if (id !== undefined && BOOTSTRAPPABLE.test(image)) return id
  if (BOOTSTRAPPABLE.test(image)) return await bootstrapImage(client, image, show, { clock, signal })
  try {
    await options.pull(image)
  } catch (error) {
    throw during(`service ${service} needs the image ${image}, which is not here`, error)
  }
  return (await client.images.inspect(image)).Id
}

async function idOf(reference: string, client: Client): Promise<string | undefined> {
  try {
    return (await client.images.inspect(reference)).Id
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined
    throw error
  }
}

/** A build as one line among others. */
function lineTrack(service: string, { show, clock }: ImagesOptions): BuildTrack {
  const item = `build ${service}`
  let view = newBuild('', clock.monotonicMs())
  const slow = clock.after(SLOW_BUILD_MS, () => show.say(`Building ${service}.`))
  show.update(item, 'building')
  return {
    view: () => view,
    tell: (news) => {
      const nowMs = clock.monotonicMs()
      view = afterNews(view, news, nowMs)
      if (news.kind === 'failed') {
        slow[Symbol.dispose]()
        return show.update(item, 'failed')
      }
      if (news.kind !== 'image') return show.update(item, 'building', stateOf(view))
      slow[Symbol.dispose]()
      const tookMs = nowMs - view.beganMs
      show.update(item, 'built', `${shortId(news.id)}, ${tookText(tookMs)}`)
      if (tookMs >= SLOW_BUILD_MS) show.say(`Built ${service} in ${tookText(tookMs)}.`)
    },
  }
}

/** What it is at: the last line of the step that began last, or that step. */
function stateOf(view: BuildView): string {
  const step = view.steps.findLast(({ state }) => state === 'running' || state === 'waiting')
  if (step === undefined) return ''
  const line = step.lines.findLast(({ text }) => text.trim() !== '')
  return `[${step.label}] ${line?.text ?? instructionText(step.text)}`
}
