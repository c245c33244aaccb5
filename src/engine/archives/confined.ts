import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

import { invariant, type Clock } from '#base'
import type { HeldFiles } from '#engine/containers'

import { archiveError } from './errors.ts'
import { errorOf } from './failure.ts'
import { decodeFailure, FRAME, readFrames, type Frame } from './frames.ts'
import { MAX_COMPLAINT_BYTES, STALL_MS } from './limits.ts'

/** A process inside the container's root that reads or writes files there. */
export interface Confined extends Disposable {
  /** Errors: what the program met, in the words of `failure.ts`; `archive.stalled`; `archive.failed`. */
  next(): Promise<Frame>
  /** As `next`, but for as long as it takes: the program waits for us meanwhile. */
  nextWhenever(): Promise<Frame>
  /** Gives up on the program when `work`, which is its own, takes too long. */
  within<T>(work: Promise<T>): Promise<T>
  /** Resolves when there is room for more. The program's failure shows in `next`. */
  send(bytes: Buffer): Promise<void>
}

export interface ConfinedNeeds {
  /** The shim: it holds the program as well, linked statically, so that nothing of the image takes part in it. */
  readonly programPath: string
  readonly clock: Clock
}

export interface ConfinedRequest {
  readonly verb: 'stat' | 'get' | 'put'
  readonly path: string
  readonly keepsKinds?: boolean
}

/** The first descriptor behind the standard three. */
const NAMESPACE_FD = 3
const USERS_FD = 4

/** Disposing ends the process, whatever it does. */
export function startConfined(needs: ConfinedNeeds, files: HeldFiles, request: ConfinedRequest): Confined {
  const child = files.state === 'running' ? startInRunning(needs, files, request) : startInStopped(needs, files, request)
  const { stdin, stdout, stderr } = child
  invariant(stdin !== null && stdout !== null && stderr !== null, 'the confined program has its pipes')
  // Its death shows as the end of its output; a broken pipe says nothing more.
  stdin.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  let isStalled = false
  const kill = () => {
    child.kill('SIGKILL')
    stdin.destroy()
    stdout.destroy()
    stderr.destroy()
  }
  /** While we wait for the program, not while a client makes us wait. */
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    using _timer = needs.clock.after(STALL_MS, () => {
      isStalled = true
      kill()
    })
    return await work
  }
  const complaint = tailOf(stderr)
  const frames = readFrames(stdout as AsyncIterable<Buffer>)
  const place = {
    container: files.record.name,
    path: request.path,
    mountTargets: files.record.mounts.map(({ target }) => target),
  }
  const nextWhenever = async (): Promise<Frame> => {
    const next = await frames.next().catch((error: unknown) => {
      throw isStalled ? stalled(place.container) : error
    })
    if (next.done !== true && next.value.type !== FRAME.failed) return next.value
    if (next.done !== true) throw errorOf(decodeFailure(next.value.payload), place)
    if (isStalled) throw stalled(place.container)
    throw archiveError('archive.failed', `container ${place.container}: the confined program ended early: ${complaint()}`)
  }
  return {
    next: async () => await watched(nextWhenever()),
    nextWhenever,
    within: watched,
    send: async (bytes) => await watched(written(stdin, bytes, ended)),
    [Symbol.dispose]: kill,
  }
}

function stalled(container: string) {
  return archiveError('archive.stalled', `container ${container}: its files did not answer within ${STALL_MS / 1000} s`, {
    hint: 'A file system of another machine that is mounted there may be gone.',
  })
}

type Running = Extract<HeldFiles, { readonly state: 'running' }>
type Stopped = Extract<HeldFiles, { readonly state: 'stopped' }>

/** The namespace is held open first and then proven to be the container's: afterwards the descriptor cannot change. */
function startInRunning(
  needs: ConfinedNeeds,
  { pid, isRemapped, isSame, record, memoryDevice }: Running,
  request: ConfinedRequest,
): ChildProcess {
  const ended = (cause?: unknown) => archiveError('archive.busy', `container ${record.name} is just ending`, { cause })
  const held: number[] = []
  try {
    for (const kind of ['mnt', ...(isRemapped ? ['user'] : [])]) held.push(openSync(`/proc/${pid}/ns/${kind}`, 'r'))
  } catch (error) {
    held.forEach(closeSync)
    throw ended(error)
  }
  try {
    if (!isSame()) throw ended()
    const users = isRemapped ? ['--users', String(USERS_FD)] : []
    const hidden = memoryDevice === undefined ? [] : ['--hide-device', String(memoryDevice)]
    const words = ['archive', '--namespace', String(NAMESPACE_FD), ...users, ...hidden, ...wordsOf(request)]
    return spawn(needs.programPath, words, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe', ...held] })
  } finally {
    held.forEach(closeSync)
  }
}

function startInStopped(needs: ConfinedNeeds, { rootfs, mounts, record }: Stopped, request: ConfinedRequest): ChildProcess {
  const words = [
    'archive',
    '--root',
    rootfs,
    ...(record.spec.security.isReadOnlyRoot ? ['--read-only-root'] : []),
    ...mounts.flatMap(({ source, target, isReadOnly }) => ['--mount', source, target, isReadOnly ? 'ro' : 'rw']),
    ...wordsOf(request),
  ]
  return spawn(needs.programPath, words, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
}

function wordsOf({ verb, path, keepsKinds = false }: ConfinedRequest): readonly string[] {
  return [...(keepsKinds ? ['--keep-kinds'] : []), verb, path]
}

async function written(stdin: Writable, bytes: Buffer, ended: Promise<void>): Promise<void> {
  if (stdin.destroyed || stdin.write(bytes)) return
  const { promise, resolve } = Promise.withResolvers<void>()
  stdin.once('drain', resolve)
  try {
    await Promise.race([promise, ended])
  } finally {
    stdin.off('drain', resolve)
  }
}

function tailOf(stderr: Readable): () => string {
  let text = ''
  stderr.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-MAX_COMPLAINT_BYTES)))
  return () => text.trim()
}
