import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { messageOf } from '#base'

import { runtimeError } from './errors.ts'
import { filterFlags } from './kernel-numbers.ts'

/** What a further process has to be given to be where the container's own ones are. */
export interface RunningContainer {
  /** Of its first process, which start ticks tell from a later one. */
  readonly pid: number
  readonly startTicks: number
  /** Below the root of every hierarchy. */
  readonly cgroup: string
  /** The compiled seccomp filter; undefined when the container is not confined. */
  readonly filter: { readonly path: string; readonly flags: number } | undefined
}

type Fields = Readonly<Record<string, unknown>>

/** As `readRunningContainer`, for a container that is asked for again and again: what cannot change while its first process lives is read once. */
export function runningContainers(stateRoot: string): (id: string) => RunningContainer {
  const known = new Map<string, RunningContainer>()
  return (id) => {
    const process = readProcess(join(stateRoot, id))
    const before = known.get(id)
    if (before?.pid === process.pid && before.startTicks === process.startTicks) return before
    const oldest = known.keys().next()
    if (known.size >= MAX_KNOWN && oldest.done !== true) known.delete(oldest.value)
    const container = readRunningContainer(stateRoot, id)
    known.set(id, container)
    return container
  }
}

/** Containers with execs at the same time; each takes some hundred bytes. */
const MAX_KNOWN = 256

/**
 * From what crun keeps of a container: `status`, the `config.json` that it was started with, and the filter that came of it. So it is
 * the same whoever started the container. Errors: `runtime.not_running`, `runtime.start_failed`.
 */
export function readRunningContainer(stateRoot: string, id: string): RunningContainer {
  const dir = join(stateRoot, id)
  return { ...readProcess(dir), filter: filterOf(dir, read(join(dir, 'config.json'))) }
}

function readProcess(dir: string): Omit<RunningContainer, 'filter'> {
  const status = read(join(dir, 'status'))
  const { pid, 'process-start-time': startTicks, 'cgroup-path': cgroup } = status
  if (typeof pid !== 'number' || typeof startTicks !== 'number' || typeof cgroup !== 'string')
    throw runtimeError('runtime.protocol_broken', `${join(dir, 'status')} names no process: ${JSON.stringify(status)}`)
  return { pid, startTicks, cgroup }
}

/** crun(1): a filter instead of a profile. */
const FILTER_ANNOTATION = 'run.oci.seccomp_bpf_data'

/** Asked of the configuration, so that a container whose filter is missing is not taken for one that has none. */
function filterOf(dir: string, config: Fields): RunningContainer['filter'] {
  const seccomp = fieldsIn(fieldsIn(config, 'linux'), 'seccomp')
  const isConfined = Object.keys(seccomp).length > 0 || FILTER_ANNOTATION in fieldsIn(config, 'annotations')
  if (!isConfined) return undefined
  if ('listenerPath' in seccomp)
    throw runtimeError('runtime.start_failed', 'exec in a container whose seccomp profile has a listener is not supported', {
      details: { exitCode: 126 },
    })
  const { flags } = seccomp
  return { path: join(dir, 'seccomp.bpf'), flags: filterFlags(Array.isArray(flags) ? flags.map(String) : []) }
}

function fieldsIn(fields: Fields, name: string): Fields {
  const value = fields[name]
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

/** Small files in memory: a trip through the thread pool takes longer. */
function read(path: string): Fields {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Fields
  } catch (error) {
    throw runtimeError('runtime.not_running', `read the runtime's state ${path}: ${messageOf(error)}`, { cause: error })
  }
}
