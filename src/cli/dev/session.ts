import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { ResolvedImage } from '#api/glovebox'
import { keyedLocks } from '#base'
import type { Client } from '#client'
import type { ComposeReading } from '#cluster/spec'

import { newBuild, afterNews } from '../build/view.ts'
import type { BuildTrack } from '../build/display.ts'
import type { CliContext } from '../command.ts'
import { registryAuthsOf } from '../build/registry-auths.ts'
import { errorText } from '../exit-code.ts'
import { painter } from '../output/colour.ts'
import { progress, type Progress } from '../output/progress.ts'
import { tookText } from '../output/units.ts'
import { bringUp } from '../up/bring-up.ts'
import { provideImages } from '../up/images.ts'
import { pullService } from '../up/pull-service.ts'
import { initialCopies } from './initial-sync.ts'
import { logStreams } from './logs.ts'
import { rulesOf, type ServiceRule } from './rules.ts'
import { serviceWork, type ServiceWork } from './service-work.ts'
import { copyFiles } from './sync.ts'
import { watchTree } from './watch-tree.ts'

export interface DevSession {
  readonly reading: ComposeReading
  readonly images: Readonly<Record<string, ResolvedImage>>
  readonly client: Client
  readonly context: CliContext
  readonly signal: AbortSignal
  readonly hasLogs: boolean
  /** When the application was brought up, in seconds: what its containers wrote since is shown. */
  readonly began: string
}

const SERVICE_LABEL = 'com.docker.compose.service'
const NUMBER_LABEL = 'com.docker.compose.container-number'

/** Watches the files of an application and brings its containers after them, until the signal. Trouble is told and survived. */
export async function devSession(session: DevSession): Promise<void> {
  const { reading, client, context, signal } = session
  const { stdout, stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  const say = (text: string) => void stderr.write(`${paint('dim', 'dev |')} ${text}\n`)
  const complain = (error: unknown) => void (signal.aborted || stderr.write(errorText(error, paint)))
  const names = reading.spec.services.map(({ name }) => name)
  const labelWidth = Math.max(...names.map((name) => name.length)) + 2
  const logs = session.hasLogs ? logStreams({ client, sink: stdout, paint: context.paint, signal, labelWidth }) : undefined
  const works = new Map<string, ServiceWork>()
  const rules = names.flatMap((name) => serviceRules(name, reading))
  const rebuild = rebuilder(session, complain, say)
  for (const service of names) {
    const own = rules.filter((rule) => rule.service === service)
    if (own.length === 0) continue
    const containers = async () => (await running(client, reading.spec.name, service)).map(({ id }) => id)
    const needs = { service, rules: own, client, clock: context.clock, containers, say, complain }
    works.set(service, serviceWork({ ...needs, rebuild: async (why) => await rebuild(service, why) }))
  }
  using watches = new DisposableStack()
  for (const { path, canSkip, count } of roots(rules)) {
    const onChanges = (changes: Parameters<ServiceWork['take']>[0]) => {
      for (const work of works.values()) work.take(changes)
    }
    watches.use(watchTree({ path, canSkip, clock: context.clock, onChanges, onTrouble: complain }))
    say(`watching ${path}${count > 1 ? ` (${count} rules)` : ''}`)
  }
  const seen = new Set<string>()
  const met = async ({ id, service, label }: RunningTask, since: string) => {
    if (!reading.unattached.includes(service)) logs?.follow(id, label, since)
    works.get(service)?.catchUp(id)
    if (seen.has(id)) return
    seen.add(id)
    const copies = initialCopies(rules.filter((rule) => rule.service === service))
    await copyFiles(client, id, copies).catch(complain)
  }
  const events = followStarts(session, (started, since) => void met(started, since))
  for (const one of await running(client, reading.spec.name)) await met(one, session.began)
  await events.catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  watches.dispose()
  await Promise.all([...works.values()].map((work) => work.settled()))
}

function serviceRules(service: string, { builds, watches }: ComposeReading): readonly ServiceRule[] {
  // What is built from an address changes elsewhere.
  const build = builds[service]?.context.startsWith('/') === true ? builds[service] : undefined
  const ignoreText =
    build === undefined
      ? ''
      : (textAt(`${join(build.context, build.dockerfile)}.dockerignore`) ?? textAt(join(build.context, '.dockerignore')) ?? '')
  return rulesOf({ service, build, rules: watches[service] ?? [], ignoreText })
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // None, or none that can be read: the build says so.
    return undefined
  }
}

/** Each path once; a directory is left out when no rule for it wants it. */
function roots(rules: readonly ServiceRule[]) {
  const paths = [...new Set(rules.map((rule) => rule.path))]
  return paths.map((path) => {
    const own = rules.filter((rule) => rule.path === path)
    return { path, count: own.length, canSkip: (below: string) => own.every((rule) => rule.canSkip(below)) }
  })
}

interface RunningTask {
  readonly id: string
  readonly service: string
  readonly label: string
}

async function running(client: Client, stack: string, service?: string): Promise<readonly RunningTask[]> {
  const label = [`io.glovebox.stack=${stack}`, ...(service === undefined ? [] : [`${SERVICE_LABEL}=${service}`])]
  const found = await client.containers.list({ filters: JSON.stringify({ label, status: ['running'] }) })
  return found.map(({ Id, Labels }) => task(Id, Labels ?? {}))
}

function task(id: string, labels: Readonly<Record<string, string>>): RunningTask {
  const service = labels[SERVICE_LABEL] ?? ''
  return { id, service, label: `${service}-${labels[NUMBER_LABEL] ?? '1'}` }
}

async function followStarts(
  { reading, client, signal }: DevSession,
  onStart: (started: RunningTask, since: string) => void,
): Promise<void> {
  const filters = { type: ['container'], event: ['start'], label: [`io.glovebox.stack=${reading.spec.name}`] }
  for await (const { Actor, timeNano } of client.system.events({ filters: JSON.stringify(filters) }, signal))
    onStart(task(Actor.ID, Actor.Attributes), secondsBefore(timeNano))
}

/** The event comes after the start, and the first line may come between the two. */
const START_MS = 100

/** As the log route takes times. The number of the event has lost its last digits, which do not matter here. */
function secondsBefore(timeNano: number): string {
  return ((timeNano - START_MS * 1e6) / 1e9).toFixed(6)
}

/** Builds one service and replaces its containers; one at a time, for the application is applied as a whole. */
function rebuilder(session: DevSession, complain: (error: unknown) => void, say: (text: string) => void) {
  const { reading, client, context, signal } = session
  const { clock } = context
  const images: Record<string, ResolvedImage> = { ...session.images }
  const locks = keyedLocks()
  const show = quietLines(context)
  const build = async (service: string) => {
    const services = reading.spec.services.filter(({ name }) => name === service)
    const specs = Object.fromEntries(Object.entries(reading.builds).filter(([name]) => name === service))
    const pull = async (image: string) => await pullService(image, client, context)
    const options = {
      client,
      show,
      usesCache: true,
      pulls: false,
      builds: true,
      pullPolicies: reading.pullPolicies,
      signal,
      clock,
      surroundings: { cwd: reading.spec.workingDir, env: context.env },
      registryAuth: registryAuthsOf(context),
      pull,
    }
    return await provideImages(services, specs, { ...options, track: () => silentTrack(clock.monotonicMs()) })
  }
  return async (service: string, why: string) => {
    const startedMs = clock.monotonicMs()
    say(`${service}: building anew: ${why} changed`)
    const before = images[service]?.id
    Object.assign(images, await build(service))
    if (images[service]?.id === before) return say(`${service}: the image is the same`)
    const builtMs = clock.monotonicMs() - startedMs
    await locks.run('stack', async () => {
      const { followed } = await bringUp(reading, images, { client, show, clock, signal })
      for (const reason of followed?.reasons ?? []) complain(new Error(reason))
    })
    say(`${service}: built in ${tookText(builtMs)}, replaced after ${tookText(clock.monotonicMs() - startedMs)}`)
  }
}

/** Sentences only: lines that are redrawn would run into the containers' output. */
function quietLines({ terminal, paint }: CliContext): Progress {
  const { stderr } = terminal
  const sink = { write: stderr.write, isTty: false, columns: stderr.columns, rows: stderr.rows, hasColour: false }
  return { ...progress(sink, paint), note: () => undefined }
}

/** Keeps what a failure is told with, and shows nothing. */
function silentTrack(nowMs: number): BuildTrack {
  let view = newBuild('', nowMs)
  return { view: () => view, tell: (news) => void (view = afterNews(view, news, nowMs)) }
}
