import type { Clock } from '#base'

import { runtimeError } from './errors.ts'
import type { ExitRecord } from './records.ts'
import type { RunningProcess } from './running-process.ts'
import type { ContainerStart, ExecStart, Runtime } from './runtime.ts'
import type { ShimConnection, ShimListener } from './shim-connection.ts'
import type { OutputStream, Subscription } from './shim-frames.ts'

/** A runtime without processes, for the tests of those who use one. What it was asked to do is in `calls`. */
export interface FakeRuntime extends Runtime {
  readonly calls: readonly string[]
  /** The started processes by their directory, the latest start of each. */
  readonly processes: ReadonlyMap<string, FakeProcess>
  /** The next start or exec fails with these words of the OCI runtime. */
  failNextStart(text: string): void
}

/** The program's side: the test plays it. */
export interface FakeProcess {
  readonly id: string
  readonly running: RunningProcess
  /** All that was sent to its stdin. */
  readonly stdin: Buffer
  readonly isStdinClosed: boolean
  readonly signals: readonly number[]
  readonly size: { readonly rows: number; readonly cols: number } | undefined
  write(stream: OutputStream, text: string | Buffer): void
  exit(exitCode: number, signal?: number): void
}

const FIRST_PID = 1000

export function fakeRuntime(clock: Clock): FakeRuntime {
  const calls: string[] = []
  const processes = new Map<string, FakeProcess & { readonly record: () => ExitRecord | undefined }>()
  let nextFailure: string | undefined
  let nextPid = FIRST_PID

  const launch = async (options: ContainerStart | ExecStart): Promise<RunningProcess> => {
    if (nextFailure !== undefined) {
      const text = nextFailure
      nextFailure = undefined
      throw runtimeError('runtime.start_failed', text, { details: { exitCode: 127 } })
    }
    const made = fakeProcess(options, nextPid++, clock)
    processes.set(options.dir, made)
    return made.running
  }
  const note = async (call: string): Promise<void> => void calls.push(call)
  return {
    calls,
    processes,
    failNextStart: (text) => (nextFailure = text),
    start: async (options) => {
      calls.push(`start ${options.id}`)
      return await launch(options)
    },
    exec: async (options) => {
      options.process()
      calls.push(`exec ${options.id}`)
      return options.prepared?.isReady === true ? await options.prepared.start(options) : await launch(options)
    },
    prepare: (options, onAsked) => {
      let isReady = true
      calls.push(`prepare ${options.id}`)
      options.process()
      onAsked()
      return {
        get isReady() {
          return isReady
        },
        start: async (chosen) => {
          isReady = false
          const { subscription, onConnected } = chosen
          return await launch({
            ...options,
            ...(subscription === undefined ? {} : { subscription }),
            ...(onConnected === undefined ? {} : { onConnected }),
          })
        },
        close: () => void (isReady = false),
      }
    },
    adopt: async (dir) => {
      const found = processes.get(dir)
      if (found === undefined) return { kind: 'lost', state: undefined }
      const record = found.record()
      return record === undefined ? { kind: 'running', process: found.running } : { kind: 'exited', record }
    },
    delete: (id) => note(`delete ${id}`),
    pause: (id) => note(`pause ${id}`),
    resume: (id) => note(`resume ${id}`),
    update: (id, resources) => note(`update ${id} ${JSON.stringify(resources)}`),
    killAll: async (id, signal) => {
      calls.push(`killAll ${id} ${signal}`)
      for (const one of processes.values()) if (one.id === id && one.record() === undefined) one.exit(128 + signal, signal)
    },
    close: () => undefined,
  }
}

function fakeProcess(options: ContainerStart | ExecStart, pid: number, clock: Clock) {
  const exited = Promise.withResolvers<ExitRecord>()
  const ended = Promise.withResolvers<void>()
  const connections = new Set<ReturnType<typeof fakeConnection>>()
  const started = { pid, startedAtNs: clock.nowNs() }
  const signals: number[] = []
  let stdin = Buffer.alloc(0)
  let isStdinClosed = false
  let size: { rows: number; cols: number } | undefined
  let record: ExitRecord | undefined

  const connect = (subscription: Subscription) => {
    const connection = fakeConnection(subscription, {
      stdin: (bytes) => (stdin = options.hasStdin && !isStdinClosed ? Buffer.concat([stdin, bytes]) : stdin),
      closeStdin: () => (isStdinClosed ||= !options.isTty),
      resize: (rows, cols) => (size = { rows, cols }),
      signal: (signal) => signals.push(signal),
      closed: () => connections.delete(connection),
    })
    connections.add(connection)
    return connection
  }
  const first = connect(options.subscription ?? { stdout: false, stderr: false })
  options.onConnected?.(first.connection)
  first.tell((listener) => listener.started?.(started))
  return {
    id: options.id,
    record: () => record,
    signals,
    get stdin() {
      return stdin
    },
    get isStdinClosed() {
      return isStdinClosed
    },
    get size() {
      return size
    },
    running: {
      ...started,
      exited: exited.promise,
      outputEnded: ended.promise,
      attach: async (subscription: Subscription) => {
        if (record !== undefined) throw runtimeError('runtime.not_running', `process ${pid} has ended: nothing to attach to`)
        return connect(subscription).connection
      },
      signal: (signal: number) => void signals.push(signal),
      resize: (rows: number, cols: number) => void (size = { rows, cols }),
      onLogLost: () => undefined,
      release: () => undefined,
    },
    write: (stream: OutputStream, text: string | Buffer) => {
      const seen = options.isTty ? 'stdout' : stream
      for (const one of connections)
        if (one.isSubscribed(seen)) one.tell((listener) => listener.output?.(seen, Buffer.from(text)))
    },
    exit: (exitCode: number, signal?: number) => {
      record = { ...started, exitCode, signal, exitedAtNs: clock.nowNs(), runtimeError: undefined }
      const told = record
      exited.resolve(told)
      ended.resolve()
      for (const one of [...connections]) {
        one.tell((listener) => listener.exited?.(told))
        one.tell((listener) => listener.outputEnded?.())
        one.connection.close()
      }
    },
  }
}

interface ConnectionEffects {
  stdin(bytes: Buffer): void
  closeStdin(): void
  resize(rows: number, cols: number): void
  signal(signal: number): void
  closed(): void
}

/** Delivers at once; while paused it keeps what comes and delivers it on `resume`. */
function fakeConnection(initial: Subscription, effects: ConnectionEffects) {
  const listeners = new Set<ShimListener>()
  let waiting: Array<(listener: ShimListener) => void> = []
  let subscription = initial
  let isPaused = false
  let isClosed = false
  const tell = (act: (listener: ShimListener) => void) => {
    if (isPaused) waiting.push(act)
    else for (const listener of [...listeners]) act(listener)
  }
  const connection: ShimConnection = {
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    stdin: async (bytes) => effects.stdin(bytes),
    closeStdin: () => effects.closeStdin(),
    resize: (rows, cols) => effects.resize(rows, cols),
    subscribe: (wanted) => void (subscription = wanted),
    signal: (signal) => effects.signal(signal),
    go: () => undefined,
    pause: () => {
      isPaused = true
      for (const listener of [...listeners]) listener.paused?.()
    },
    resume: () => {
      isPaused = false
      const due = waiting
      waiting = []
      for (const act of due) tell(act)
    },
    close: () => {
      if (isClosed) return
      isClosed = true
      effects.closed()
      tell((listener) => listener.closed?.(undefined))
    },
    get isClosed() {
      return isClosed
    },
  }
  return { connection, tell, isSubscribed: (stream: OutputStream) => subscription[stream] }
}
