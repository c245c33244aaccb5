import { PassThrough, Readable, type Writable } from 'node:stream'

import { declareErrors, fail, newId, seededRandom, type ContainerId, type ExecId } from '#base'
import type {
  AttachStream,
  ContainerRecord,
  Containers,
  ContainerUsage,
  ExecRecord,
  LogEntry,
  ResolvedMount,
} from '#engine/containers'
import type { EngineEvent, Events } from '#engine/events'
import type { ImageProgress, ImageRecord } from '#engine/images'
import type { VolumeRecord } from '#engine/volumes'

import type { ApiImages, DockerApiEngine } from '../engine.ts'
import { bridgeNetwork, containerRecord, CREATED_AT, HOST, imageRecord, VERSION, volumeRecord } from './records.ts'

const fakeError = declareErrors({
  'container.not_found': 'not_found',
  'exec.not_found': 'not_found',
  'image.not_found': 'not_found',
  'network.not_found': 'not_found',
  'volume.not_found': 'not_found',
})

/**
 * An engine that runs nothing: its containers write their command to the standard output, then echo their standard input until it ends, then exit.
 * The code is the number behind `exit` in the command. Enough to drive the real clients.
 */
export function fakeEngine(): FakeEngine {
  const random = seededRandom(7)
  const containers = new Map<string, FakeContainer>()
  const execs = new Map<string, { record: ExecRecord; process: FakeProcess }>()
  const images = [imageRecord()]
  const volumes = new Map<string, VolumeRecord>()
  const history: EngineEvent[] = []
  const listeners = new Set<(event: EngineEvent) => void>()
  const publish = (event: Omit<EngineEvent, 'timeNs'>) => {
    const stamped = { ...event, timeNs: 1_767_000_000_000_000_000n + BigInt(history.length) }
    history.push(stamped)
    for (const listener of listeners) listener(stamped)
  }
  const events: Events = {
    publish,
    subscribe: ({ untilNs, signal }) => subscribe(history, listeners, untilNs, signal),
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
  const find = (ref: string): FakeContainer => {
    const found = [...containers.values()].find(
      ({ record }) => record.id.startsWith(ref) || record.name === ref.replace(/^\//, ''),
    )
    if (found === undefined) throw fakeError('container.not_found', `No such container: ${ref}`)
    return found
  }
  const change = (container: FakeContainer, status: Partial<ContainerRecord['status']>) => {
    container.record = { ...container.record, status: { ...container.record.status, ...status } }
  }
  const tell = (container: FakeContainer, action: string) =>
    publish({
      type: 'container',
      action,
      actorId: container.record.id,
      attributes: { name: container.record.name, image: 'box:1' },
    })
  const finish = (container: FakeContainer) => {
    change(container, { state: 'exited', exitCode: container.process.exitCode, finishedAt: CREATED_AT, pid: 0 })
    tell(container, 'die')
    if (container.record.spec.shouldAutoRemove) containers.delete(container.record.id)
    container.exited.resolve()
  }

  const faceOfContainers: Containers = {
    create: async (spec, name) => {
      const id = newId<ContainerId>(random)
      const mounts = spec.mounts.map((mount): ResolvedMount => {
        const base = { target: mount.target, isReadOnly: mount.type !== 'tmpfs' && mount.isReadOnly, propagation: '' }
        if (mount.type === 'volume') return { type: 'volume', name: mount.name || id, source: '/v', driver: 'local', ...base }
        return { type: mount.type, name: '', source: mount.type === 'bind' ? mount.source : '', driver: '', ...base }
      })
      const record = containerRecord({ id, name: name ?? `box_${containers.size}`, spec, mounts })
      const cmd = [...(spec.process.entrypoint ?? []), ...(spec.process.cmd ?? [])]
      const container = { record, process: fakeProcess(cmd, spec.process.hasTty), exited: Promise.withResolvers<void>() }
      containers.set(id, container)
      tell(container, 'create')
      return { id, warnings: [] }
    },
    get: (ref) => find(ref).record,
    list: () => [...containers.values()].map(({ record }) => record).toReversed(),
    start: async (ref) => {
      const container = find(ref)
      if (container.record.status.state === 'running') return false
      change(container, { state: 'running', pid: 4242, startedAt: CREATED_AT })
      tell(container, 'start')
      void container.process.run().then(() => finish(container))
      return true
    },
    stop: async (ref) => {
      const container = find(ref)
      if (container.record.status.state !== 'running') return false
      container.process.stop(143)
      await container.exited.promise
      return true
    },
    restart: async (ref) => void find(ref),
    kill: async (ref) => find(ref).process.stop(137),
    pause: async (ref) => change(find(ref), { state: 'paused' }),
    unpause: async (ref) => change(find(ref), { state: 'running' }),
    remove: async (ref) => void containers.delete(find(ref).record.id),
    rename: async (ref, name) => {
      const container = find(ref)
      container.record = { ...container.record, name }
    },
    update: async (ref) => {
      find(ref)
      return []
    },
    wait: async (ref) => {
      const container = find(ref)
      return { done: container.exited.promise.then(() => ({ exitCode: container.process.exitCode, error: '' })) }
    },
    attach: async (ref, options) => find(ref).process.attach(options.stdin),
    resize: async (ref) => void find(ref),
    logs: (ref, options) => logEntries(find(ref).process, options.signal, options.follow),
    top: async (ref) => {
      find(ref)
      return [
        {
          pid: 4242,
          insidePid: 1,
          ppid: 1,
          uid: 0,
          user: 'root',
          cpuSeconds: 61,
          cpuPercent: 1.5,
          rssBytes: 4096 * 1024,
          startedAtMs: 0,
          tty: '',
          command: 'sleep 1',
        },
      ]
    },
    stats: async (ref) => {
      find(ref)
      return usage()
    },
    size: async () => ({ rwBytes: 10, rootFsBytes: 1010 }),
    changes: async () => [
      { path: '/etc', kind: 'modified' },
      { path: '/etc/new', kind: 'added' },
      { path: '/old', kind: 'deleted' },
    ],
    export: async () => Readable.from([Buffer.alloc(1024)]),
    connect: async (ref) => void find(ref),
    disconnect: async (ref) => void find(ref),
    removeLink: async (ref) => void find(ref),
    files: () => ({ log: '/c/log', hosts: '/c/hosts', hostname: '/c/hostname', resolvConf: '/c/resolv.conf' }),
    exec: {
      list: (ref) =>
        [...execs.values()].map(({ record }) => record).filter(({ containerId }) => containerId === find(ref).record.id),
      create: async (ref, spec) => {
        const { record } = find(ref)
        const id = newId<ExecId>(random)
        const process = fakeProcess(spec.cmd, spec.hasTty)
        execs.set(id, { record: { id, containerId: record.id, spec, state: 'created', pid: 0, exitCode: null }, process })
        return id
      },
      get: (id) => exec(id).record,
      start: async (id, options) => {
        const started = exec(id)
        const stream = options.detach ? null : started.process.attach(started.record.spec.attachStdin)
        started.record = { ...started.record, state: 'running', pid: 99 }
        void started.process.run().then(() => {
          started.record = { ...started.record, state: 'exited', exitCode: started.process.exitCode }
        })
        return stream
      },
      resize: async (id) => void exec(id),
    },
  }

  function exec(id: string) {
    const found = execs.get(id)
    if (found === undefined) throw fakeError('exec.not_found', `No such exec instance: ${id}`)
    return found
  }

  return {
    containers: faceOfContainers,
    images: fakeImages(images),
    networks: {
      list: () => [bridgeNetwork()],
      get: (ref) => {
        if (ref === 'bridge' || bridgeNetwork().id.startsWith(ref)) return bridgeNetwork()
        throw fakeError('network.not_found', `network ${ref} not found`)
      },
      create: (spec) => ({ ...bridgeNetwork(), name: spec.name, isPredefined: false }),
      remove: async () => bridgeNetwork(),
    },
    volumes: {
      create: async ({ name, labels, isAnonymous }) => {
        const made = volumeRecord(name ?? 'a1'.repeat(32), { labels, isAnonymous })
        volumes.set(made.name, made)
        return made
      },
      get: (name) => {
        const found = volumes.get(name)
        if (found === undefined) throw fakeError('volume.not_found', `get ${name}: no such volume`)
        return found
      },
      list: () => [...volumes.values()],
      remove: async (name) => void volumes.delete(name),
      prune: async () => ({ deleted: [], reclaimedBytes: 0 }),
      usageBytes: async () => 12,
      users: () => [],
    },
    events,
    system: { version: () => VERSION, info: () => HOST, facts: () => ({ ...HOST, hasAppArmor: false }) },
  }
}

export type FakeEngine = DockerApiEngine

interface FakeContainer {
  record: ContainerRecord
  readonly process: FakeProcess
  readonly exited: PromiseWithResolvers<void>
}

interface FakeProcess {
  exitCode: number
  readonly written: LogEntry[]
  run(): Promise<void>
  stop(exitCode: number): void
  attach(stdin: boolean): AttachStream
}

function fakeProcess(cmd: readonly string[], isRaw: boolean): FakeProcess {
  const outputs = new Set<PassThrough>()
  const stdin = new PassThrough()
  let isStdinUsed = false
  const ended = Promise.withResolvers<void>()
  const process: FakeProcess = {
    exitCode: Number(cmd[cmd.indexOf('exit') + 1] ?? 0) || 0,
    written: [],
    run: async () => {
      say(Buffer.from(`${cmd.join(' ')}\n`))
      if (cmd.includes('sleep')) await ended.promise
      else if (isStdinUsed) {
        void ended.promise.then(() => stdin.destroy())
        try {
          for await (const chunk of stdin as AsyncIterable<Buffer>) say(chunk)
        } catch {
          // It was stopped before the end of its input.
        }
      }
      for (const output of outputs) output.end()
    },
    stop: (exitCode) => {
      process.exitCode = exitCode
      ended.resolve()
    },
    attach: (wantsStdin) => {
      const output = new PassThrough()
      outputs.add(output)
      isStdinUsed ||= wantsStdin
      const input: Writable | null = wantsStdin ? stdin : null
      return { isRaw, output, input, close: () => void output.destroy() }
    },
  }
  const say = (chunk: Buffer) => {
    process.written.push({ stream: 'stdout', time: CREATED_AT, attributes: null, line: chunk })
    const head = Buffer.alloc(8)
    head[0] = 1
    head.writeUInt32BE(chunk.length, 4)
    for (const output of outputs) output.write(isRaw ? chunk : Buffer.concat([head, chunk]))
  }
  return process
}

async function* logEntries(process: FakeProcess, signal: AbortSignal | undefined, follow: boolean): AsyncGenerator<LogEntry> {
  yield* process.written
  if (!follow) return
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
}

async function* subscribe(
  history: readonly EngineEvent[],
  listeners: Set<(event: EngineEvent) => void>,
  untilNs: bigint | null,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  const queue = [...history]
  let wake = () => {}
  const listener = (event: EngineEvent) => {
    queue.push(event)
    wake()
  }
  listeners.add(listener)
  signal.addEventListener('abort', () => wake(), { once: true })
  try {
    while (!signal.aborted) {
      const next = queue.shift()
      if (next !== undefined) yield next
      else if (untilNs !== null) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    listeners.delete(listener)
  }
}

function fakeImages(images: readonly ImageRecord[]): ApiImages {
  const find = (ref: string) =>
    images.find((image) => image.id === ref || image.tags.includes(ref.includes(':') ? ref : `${ref}:latest`))
  const get = (ref: string) => {
    const found = find(ref)
    if (found === undefined) throw fakeError('image.not_found', ref)
    return found
  }
  return {
    get,
    find,
    list: () => images,
    tag: async (ref) => void get(ref),
    remove: async (ref) => [{ untagged: ref }, { deleted: get(ref).id }],
    load: (archive) => loadSteps(archive, get('box:1')),
    save: async () => Readable.from([Buffer.alloc(1024)]),
    import: async () => get('box:1'),
    prune: async () => ({ deleted: [], reclaimedBytes: 0 }),
  }
}

async function* loadSteps(archive: Readable, image: ImageRecord): AsyncGenerator<ImageProgress> {
  let bytes = 0
  for await (const chunk of archive as AsyncIterable<Buffer>) bytes += chunk.length
  yield { type: 'layer', id: '0101', status: 'Loading layer', currentBytes: bytes, totalBytes: bytes }
  if (bytes === 1) throw fail('input.invalid', 'the archive is broken')
  yield { type: 'loaded', image, ref: 'box:1' }
}

function usage(): ContainerUsage {
  return {
    readAtMs: 1_767_000_000_000,
    cpuTotalNs: 5,
    cpuUserNs: 3,
    cpuSystemNs: 2,
    systemCpuNs: 100,
    onlineCpus: 4,
    throttledPeriods: 0,
    totalPeriods: 0,
    throttledNs: 0,
    memoryUsageBytes: 1000,
    memoryLimitBytes: 2000,
    memoryInactiveFileBytes: 10,
    memoryStats: { total_inactive_file: 10 },
    pids: 1,
    pidsLimit: 0,
    io: [{ major: 8, minor: 0, operation: 'read', bytes: 1, operations: 1 }],
    networks: {
      eth0: { rxBytes: 1, rxPackets: 1, rxErrors: 0, rxDropped: 0, txBytes: 1, txPackets: 1, txErrors: 0, txDropped: 0 },
    },
  }
}
