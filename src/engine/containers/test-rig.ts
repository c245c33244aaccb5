import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'

import { memoryRecords, seededRandom, silentLog, virtualClock, type Clock, type Digest } from '#base'
import { createEvents, type Events } from '#engine/events'
import type { ImageRecord } from '#engine/images'
import { createNetworks } from '#engine/network'
import { fakeRuntime, type RunningProcess, type Runtime } from '#engine/runtime'
import type { ContainerSnapshot, Snapshots } from '#engine/snapshots'
import { createVolumes } from '#engine/volumes'
import { fakeHost } from '#host'

import { createContainers, type ContainersService } from './containers.ts'
import { specFromImage } from './default-spec.ts'
import type { ContainerSpec } from './spec.ts'
import { untilIdle } from './test-idle.ts'

const SIGKILL = 9
const IMAGE_ID = `sha256:${'1'.repeat(64)}` as Digest

/** Containers on fakes of the kernel, the runtime and the layers, in a directory of the test's own. */
export type Rig = Awaited<ReturnType<typeof rig>>

export async function rig(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-containers-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const [root, runDir] = [join(directory, 'root'), join(directory, 'run')]
  mkdirSync(join(root, 'tmp'), { recursive: true })
  const clock = virtualClock(undefined, untilIdle)
  const random = seededRandom(5)
  const records = memoryRecords()
  const host = fakeHost()
  const log = silentLog()
  const fake = fakeRuntime(clock)
  const seen: string[] = []
  const told = createEvents(clock)
  const publish: Events['publish'] = (event) => {
    seen.push(`${event.type} ${event.action}`)
    told.publish(event)
  }
  const events: Events = { ...told, publish }
  const failures = new Map<string, Error>()
  const roots = fakeRoots(root)
  let life = 0

  const open = async ({ startsDue = true } = {}): Promise<ContainersService> => {
    life += 1
    const mine = life
    const isAlive = () => life === mine
    const needs = { root, runDir, instance: 'unit', clock: mortal(clock, isAlive), random, log, host, events, initPath: '/init' }
    const fails = <T extends object>(target: T, prefix: string) => failing(target, prefix, failures)
    const volumes = createVolumes({
      ...{ root, records, clock, random, events, log, host },
      usersOf: (name) => usersOf(containers, name),
      runningUsersOf: () => [],
    })
    const containers: ContainersService = createContainers({
      ...needs,
      records: { ...records, table: (name) => fails(records.table(name), name) },
      images: { get: () => image(), find: () => image(), sweep: async () => await Promise.resolve() },
      snapshots: fails(roots.snapshots, 'snapshots'),
      networks: fails(createNetworks({ ...needs, records, readResolvConf: () => 'nameserver 10.0.0.1\n' }), 'networks'),
      volumes: fails(volumes, 'volumes'),
      runtime: fails(obedient(fake, isAlive), 'runtime'),
    })
    await volumes.recover()
    await containers.recover()
    if (startsDue) await containers.startDue(new AbortController().signal)
    return containers
  }
  const remains = (id: string) => [
    ...(roots.mounted.has(id) ? ['mounted root'] : []),
    ...(existsSync(join(runDir, 'c', id)) ? ['run directory'] : []),
    ...(host.network.pins.has(join(runDir, 'netns', id)) ? ['network namespace'] : []),
    ...(host.cgroups.exists(`/glovebox/unit/${id}`) ? ['cgroup'] : []),
  ]
  const settle = async () => await clock.advance(0)
  return {
    containers: await open(),
    /** The daemon is gone and another one is there; what ran still runs. */
    again: open,
    clock,
    host,
    runtime: fake,
    seen,
    roots,
    /** The next call of `snapshots.mountContainer` and the like fails. */
    failNext: (name: string) => void failures.set(name, new Error(`planned failure of ${name}`)),
    process: (id: string) => {
      const found = fake.processes.get(join(runDir, 'c', id))
      if (found === undefined) throw new Error(`no process of ${id}`)
      return found
    },
    spec: (change: Partial<ContainerSpec> = {}): ContainerSpec => ({ ...specFromImage(image(), 'unit'), ...change }),
    /** What containers that do not run must not have. */
    remains,
    homes: () => readdirSync(join(root, 'containers')),
    /** Lets run what does not wait for time. */
    settle,
    /** Fails with what is left of it once all has been done. */
    quiet: async (id: string) => {
      await settle()
      if (remains(id).length > 0) throw new Error(`left of ${id}: ${remains(id).join(', ')}`)
    },
  }
}

/** The timers of a daemon die with it. */
function mortal(clock: Clock, isAlive: () => boolean): Clock {
  return {
    ...clock,
    after: (ms, then) => clock.after(ms, () => isAlive() && then()),
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal)
      if (!isAlive()) await new Promise(() => undefined)
    },
  }
}

/** Processes end when they are killed, and tell only the daemon that is there. */
function obedient(fake: ReturnType<typeof fakeRuntime>, isAlive: () => boolean): Runtime {
  const watched = (dir: string, process: RunningProcess): RunningProcess => ({
    ...process,
    exited: new Promise((resolve, reject) => {
      process.exited.then(
        (exit) => isAlive() && resolve(exit),
        (error: unknown) => isAlive() && reject(error),
      )
    }),
    signal: (signal) => {
      process.signal(signal)
      if (signal === SIGKILL) fake.processes.get(dir)?.exit(128 + SIGKILL, SIGKILL)
    },
  })
  return {
    ...fake,
    start: async (options) => watched(options.dir, await fake.start(options)),
    exec: async (options) => watched(options.dir, await fake.exec(options)),
    adopt: async (dir) => {
      if (!existsSync(dir)) return { kind: 'lost', state: undefined }
      const adopted = await fake.adopt(dir)
      return adopted.kind === 'running' ? { kind: 'running', process: watched(dir, adopted.process) } : adopted
    },
  }
}

function failing<T extends object>(target: T, prefix: string, failures: Map<string, Error>): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]): unknown => {
        const name = `${prefix}.${String(key)}`
        const error = failures.get(name)
        if (error === undefined) return value.apply(object, args)
        failures.delete(name)
        throw error
      }
    },
  })
}

function image(): ImageRecord {
  const config = {
    entrypoint: null,
    cmd: ['serve'],
    env: [],
    workingDir: '',
    user: '',
    shell: null,
    labels: {},
    healthcheck: null,
    stopSignal: '',
    exposedPorts: [],
    volumes: [],
  }
  return { id: IMAGE_ID, os: 'linux', config, layers: [], history: [], sizeBytes: 0 } as unknown as ImageRecord
}

function usersOf(containers: ContainersService, name: string): readonly string[] {
  return containers
    .list()
    .filter((container) => container.mounts.some((mount) => mount.name === name))
    .map((container) => container.name)
}

/** Directories instead of mounts. */
function fakeRoots(root: string) {
  const known = new Set<string>()
  const mounted = new Set<string>()
  const rootfsOf = (id: string) => join(root, 'roots', id)
  const snapshots: Snapshots = {
    kind: 'directory',
    addLayer: async () => await Promise.reject(new Error('no layers here')),
    hasLayer: () => false,
    layer: () => undefined,
    list: () => [],
    removeLayer: async () => await Promise.resolve(),
    mountContainer: ({ id }) => {
      known.add(id)
      mounted.add(id)
      mkdirSync(rootfsOf(id), { recursive: true })
      return { rootfs: rootfsOf(id) }
    },
    unmountContainer: (id) => void mounted.delete(id),
    removeContainer: async (id) => {
      await Promise.resolve()
      known.delete(id)
      mounted.delete(id)
    },
    containers: () =>
      [...known].map((id): ContainerSnapshot => ({ id, layers: [], isMounted: mounted.has(id), rootfs: rootfsOf(id) })),
    mountReadOnly: () => ({ [Symbol.dispose]: () => undefined }),
    changes: async function* () {},
    diffTar: () => Readable.from([]),
    exportTar: () => Readable.from([]),
    usage: async () => await Promise.resolve(0),
    recover: async () => await Promise.resolve(),
  }
  return { snapshots, known, mounted }
}
