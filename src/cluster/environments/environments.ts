import { isKind, keyedLocks, type Clock, type Log } from '#base'
import { prefixOf, type Actor, type EnvironmentRecord } from '#cluster/model'
import { putStackSecrets, removeStackSecrets, type Secrets } from '#cluster/secrets'
import { readStackSpec, type RouteSpec, type StackSpec } from '#cluster/spec'
import type { Stacks, StackStatus } from '#cluster/stacks'
import type { ClusterStore } from '#cluster/store'

import { checkClashes } from './clashes.ts'
import { deriveEnvironment, type Derived } from './derive.ts'
import { routesByPort } from './derive-routes.ts'
import { diffStacks, type ComparedStack } from './diff.ts'
import { environmentError } from './errors.ts'
import { findEnvironment } from './find.ts'
import { keptImages, pinnedImages, retied } from './images.ts'
import { environmentKey, startEnvironmentLoop, type EnvironmentAction } from './loop.ts'
import { applicationOf, environmentStack, PLAIN_PATTERN } from './names.ts'
import type { EnvironmentChange, Environments, EnvironmentView, NewEnvironment } from './port.ts'
import { readHosts } from './said-hosts.ts'
import { applySettings } from './settings.ts'
import { environmentView } from './view.ts'

export interface EnvironmentsPorts {
  readonly store: ClusterStore
  readonly stacks: Pick<Stacks, 'apply' | 'remove' | 'specs' | 'get' | 'wantedImages'>
  readonly secrets: Pick<Secrets, 'inspect' | 'put' | 'list' | 'usersOf' | 'remove'>
  /** Of the node: an environment begins with empty ones. */
  readonly volumes: () => Promise<readonly string[]>
  /** A TCP port that nobody listens on. */
  readonly freePort: (hostIp: string) => Promise<number>
  readonly clock: Clock
  readonly log: Log
  /** What happens is told to whoever listens to events. */
  readonly tell: (action: EnvironmentAction, record: EnvironmentRecord) => void
}

/** One machine runs some dozens of applications: more copies of them are left-overs. */
const MAX_ENVIRONMENTS = 200
const MIN_LIFE_MS = 60_000
/** Whoever wants it longer wants an application. */
const MAX_LIFE_MS = 365 * 24 * 3_600_000
/** The loop writes a record now and then; more conflicts in a row than this are no accident. */
const MAX_TRIES = 20
const CONFLICT_MS = 5

export function openEnvironments(ports: EnvironmentsPorts): Environments {
  const { store, stacks, secrets, clock, tell } = ports
  const locks = keyedLocks()
  const specOf = (stack: string) => stacks.specs().find(({ name }) => name === stack)
  const entries = async () => (await store.range<EnvironmentRecord>(prefixOf('environment'))).entries
  const find = async (ref: string) => findEnvironment(await entries(), ref)
  const recovered = recover()
  const loop = recovered.then(() => startEnvironmentLoop(ports))

  /** What was cut short while it was made is taken down again. */
  async function recover(): Promise<void> {
    for (const { key, value, revision } of await entries()) {
      if (value.state !== 'creating') continue
      const record: EnvironmentRecord = { ...value, state: 'removing', reason: 'its making was cut short' }
      await store.write({ conditions: [{ key, revision }], puts: [{ key, value: record }] })
    }
  }

  /** Errors: `environment.not_found`. */
  async function sourceOf(ref: string): Promise<StackSpec> {
    const plain = specOf(ref)
    if (plain !== undefined) return plain
    const stack = (await find(ref).catch(ifAbsent))?.value.stack
    const spec = stack === undefined ? undefined : specOf(stack)
    if (spec !== undefined) return spec
    throw environmentError('environment.not_found', `there is no application or environment ${ref}`)
  }

  async function derive(source: StackSpec, wanted: NewEnvironment): Promise<Derived> {
    const routePorts = await choosePorts(routesByPort(source.routes), ports.freePort)
    const derived = deriveEnvironment(source, {
      name: wanted.name,
      settings: wanted.settings,
      hostPattern: wanted.hostPattern ?? PLAIN_PATTERN,
      hosts: readHosts(wanted.hosts, source.routes),
      routePorts,
      own: { secrets: Object.keys(wanted.values.secrets), configs: Object.keys(wanted.values.configs) },
      hasWritableBinds: wanted.hasWritableBinds,
    })
    const spec = readStackSpec(derived.spec)
    checkClashes(spec, stacks.specs())
    const there = await ports.volumes()
    const old = spec.volumes.find(({ name }) => there.includes(name))
    if (old !== undefined)
      throw environmentError(
        'environment.name_taken',
        `the volume ${old.name} is there already, and an environment begins with empty ones`,
        {
          hint: `Choose another name, or remove it: \`glovebox volume rm ${old.name}\`.`,
        },
      )
    return { ...derived, spec }
  }

  async function create(wanted: NewEnvironment, actor: Actor): Promise<EnvironmentChange> {
    checkLife(wanted.lifeMs)
    const source = await sourceOf(wanted.from)
    const stack = environmentStack(applicationOf(source.name), wanted.name)
    if (specOf(stack) !== undefined || (await store.get(environmentKey(stack))) !== undefined)
      throw environmentError('environment.name_taken', `there is ${stack} already`)
    if ((await entries()).length >= MAX_ENVIRONMENTS)
      throw environmentError('environment.too_many', `there are ${MAX_ENVIRONMENTS} environments already`)
    const { spec: derived, notes } = await derive(source, wanted)
    const nowMs = clock.nowMs()
    const record: EnvironmentRecord = {
      stack,
      name: wanted.name,
      application: applicationOf(source.name),
      from: source.name,
      state: 'creating',
      settings: wanted.settings,
      notes,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      expiresAtMs: wanted.lifeMs === null ? null : nowMs + wanted.lifeMs,
      announcedMs: null,
      reason: '',
    }
    const key = environmentKey(stack)
    const written = await store.write({ conditions: [{ key, revision: 0 }], puts: [{ key, value: record }] })
    if (written === null) throw environmentError('environment.name_taken', `there is ${stack} already`)
    try {
      await putStackSecrets(secrets, derived, wanted.values)
      const images = keptImages(pinnedImages(stacks, source), source, derived)
      const change = await stacks.apply(retied(derived, images), images, { actor })
      const active: EnvironmentRecord = { ...record, state: 'active' }
      await store.write({ conditions: [{ key, revision: written }], puts: [{ key, value: active }] })
      tell('create', active)
      return { environment: viewOf(active), change }
    } catch (error) {
      await removeStackSecrets(secrets, stack).catch(() => undefined)
      await store.write({ conditions: [{ key, revision: written }], deletes: [key] })
      throw error
    }
  }

  async function set(ref: string, settings: readonly string[], actor: Actor): Promise<EnvironmentChange> {
    const { value: record } = await find(ref)
    mustStay(record)
    const before = specOf(record.stack)
    if (before === undefined)
      throw environmentError('environment.changed', `the stack ${record.stack} of the environment is gone`)
    const after = applySettings(before, settings)
    const images = keptImages(pinnedImages(stacks, before), before, after)
    const change = await stacks.apply(retied(after, images), images, { actor })
    const changed = await changeRecord(ref, (now) => ({ ...now, settings: mergedSettings(now.settings, settings) }))
    tell('update', changed)
    return { environment: viewOf(changed), change }
  }

  /** Reads, decides and writes, until nobody else wrote in between. */
  async function changeRecord(ref: string, next: (now: EnvironmentRecord) => EnvironmentRecord): Promise<EnvironmentRecord> {
    for (let tries = 1; ; tries += 1) {
      const { key, value, revision } = await find(ref)
      const record = { ...next(value), updatedAtMs: clock.nowMs() }
      if ((await store.write({ conditions: [{ key, revision }], puts: [{ key, value: record }] })) !== null) return record
      if (tries >= MAX_TRIES)
        throw environmentError('environment.changed', `the environment ${ref} is changed by others all the time`)
      await clock.sleep(CONFLICT_MS)
    }
  }

  async function remove(ref: string, signal: AbortSignal, { by }: Actor): Promise<EnvironmentView> {
    const record = await changeRecord(ref, (now) => {
      if (now.state === 'creating')
        throw environmentError('environment.changed', `the environment ${now.name} is just being made`)
      return now.state === 'removing' ? now : { ...now, state: 'removing', reason: `asked for by ${by}` }
    })
    const key = environmentKey(record.stack)
    const { revision } = await store.range(key)
    if ((await store.get(key)) === undefined) return viewOf(record)
    for await (const { changes } of store.watch(key, revision, signal))
      if (changes.some((change) => change.key === key && change.value === null)) break
    return viewOf(record)
  }

  function viewOf(record: EnvironmentRecord): EnvironmentView {
    return environmentView(record, statusOf(record.stack), specOf(record.stack))
  }

  function statusOf(stack: string): StackStatus | undefined {
    try {
      return stacks.get(stack)
    } catch (error) {
      return ifAbsent(error)
    }
  }

  async function compared(ref: string): Promise<ComparedStack> {
    const spec = await sourceOf(ref)
    return { spec, images: pinnedImages(stacks, spec) }
  }

  return {
    create: async (wanted, actor) => {
      await recovered
      return await locks.run(wanted.name, async () => await create(wanted, actor))
    },
    list: async () =>
      (await entries())
        .map(({ value }) => viewOf(value))
        .toSorted((a, b) => (`${a.application}/${a.name}` < `${b.application}/${b.name}` ? -1 : 1)),
    get: async (ref) => viewOf((await find(ref)).value),
    set: async (ref, settings, actor) => await locks.run(ref, async () => await set(ref, settings, actor)),
    extend: async (ref, lifeMs) => {
      checkLife(lifeMs)
      const record = await changeRecord(ref, (now) => {
        mustStay(now)
        return { ...now, expiresAtMs: lifeMs === null ? null : clock.nowMs() + lifeMs }
      })
      tell('update', record)
      return viewOf(record)
    },
    remove,
    diff: async (left, right, { isWhole }) => diffStacks(await compared(left), await compared(right), isWhole),
    refuseStack: async (stack, hint) => {
      const record = (await store.get<EnvironmentRecord>(environmentKey(stack)))?.value
      if (record === undefined) return
      throw environmentError(
        'environment.is_environment',
        `${stack} is the environment ${record.name} of ${record.application}`,
        {
          hint: hint(`${record.application}/${record.name}`),
        },
      )
    },
    [Symbol.asyncDispose]: async () => await (await loop)[Symbol.asyncDispose](),
  }
}

function mustStay({ state, name }: EnvironmentRecord): void {
  if (state !== 'active')
    throw environmentError(
      'environment.is_being_removed',
      `the environment ${name} is ${state === 'removing' ? 'being removed' : 'just being made'}`,
    )
}

/** Errors: `environment.life_invalid`. */
function checkLife(lifeMs: number | null): void {
  if (lifeMs === null || (lifeMs >= MIN_LIFE_MS && lifeMs <= MAX_LIFE_MS)) return
  throw environmentError('environment.life_invalid', `an environment cannot stay for ${Math.round(lifeMs / 1000)} s`, {
    hint: 'Give it from 1m to 365d, or never.',
  })
}

/** One for each; what was said last of a thing counts. */
function mergedSettings(before: readonly string[], after: readonly string[]): readonly string[] {
  const pathOf = (text: string) => text.slice(0, text.indexOf('='))
  return [...new Map([...before, ...after].map((text) => [pathOf(text), text])).values()]
}

/** Nobody listens on them yet, so the same one may be offered twice. */
const MAX_OFFERS = 20

async function choosePorts(
  routes: readonly RouteSpec[],
  freePort: EnvironmentsPorts['freePort'],
): Promise<Readonly<Record<string, number>>> {
  const chosen = new Map<string, number>()
  for (const { name, hostIp } of routes) {
    let port = await freePort(hostIp)
    for (let offers = 1; [...chosen.values()].includes(port) && offers < MAX_OFFERS; offers += 1) port = await freePort(hostIp)
    chosen.set(name, port)
  }
  return Object.fromEntries(chosen)
}

function ifAbsent(error: unknown): undefined {
  if (!isKind(error, 'not_found')) throw error
}
