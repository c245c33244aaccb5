import { hash } from 'node:crypto'

import { parseBytes } from '#base'
import type { MountFlag, Place } from '#oci/dockerfile'
import { cleanPath } from '#oci/patterns'

import { buildErrorAt } from './errors.ts'
import type { Expander } from './scope.ts'
import type { StageState } from './stage-state.ts'
import type { CopyFrom, PlannedMount } from './steps.ts'

/** Where the sockets of agents are found unless the mount says otherwise, as programs of builds expect it. */
const SSH_SOCKET = '/run/buildkit/ssh_agent'

/** One `--mount` of a RUN step. Undefined while the image that it names is not resolved. Throws `build.instruction_invalid`. */
export function planMount(
  state: StageState,
  mount: MountFlag,
  index: number,
  place: Place,
  expand: Expander,
): PlannedMount | undefined {
  const read = reader(mount, place, expand)
  const { workingDir } = state.config
  switch (mount.type) {
    case 'tmpfs': {
      const size = read.text('size')
      const sizeBytes = size === undefined ? undefined : parseBytes(size, `${place.file}:${place.line}: size`)
      return { kind: 'tmpfs', target: targetOf(read, workingDir), sizeBytes }
    }
    case 'bind': {
      const from = fromOf(state, read, place)
      const [target, isWritable] = [targetOf(read, workingDir), read.truth('readwrite')]
      return from === undefined ? undefined : { kind: 'tree', target, from, source: read.text('source') ?? '/', isWritable }
    }
    case 'cache':
      return cacheMount(state, read, place)
    case 'secret': {
      const written = read.text('target')
      const id = read.text('id') ?? (written === undefined ? undefined : cleanPath(written).split('/').at(-1))
      if (id === undefined || id === '') throw read.refuse('neither id nor target says which secret', 'Add id=NAME.')
      const env = read.text('env')
      const target = written ?? (env === undefined ? `/run/secrets/${id}` : undefined)
      const rights = { mode: read.mode(0o400), uid: read.id('uid'), gid: read.id('gid') }
      const isRequired = read.truth('required')
      return {
        kind: 'secret',
        id,
        target: target === undefined ? undefined : absolute(target, workingDir),
        env,
        isRequired,
        ...rights,
      }
    }
    case 'ssh': {
      const target = absolute(read.text('target') ?? `${SSH_SOCKET}.${index}`, workingDir)
      const rights = { mode: read.mode(0o600), uid: read.id('uid'), gid: read.id('gid') }
      return { kind: 'ssh', id: read.text('id') ?? 'default', target, isRequired: read.truth('required'), ...rights }
    }
  }
}

function cacheMount(state: StageState, read: Reader, place: Place): PlannedMount | undefined {
  const target = targetOf(read, state.config.workingDir)
  const sharing = read.text('sharing') ?? 'shared'
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked')
    throw read.refuse(`sharing ${JSON.stringify(sharing)} is not known`, 'Write shared, private or locked.')
  const hasSeed = read.text('from') !== undefined
  const from = hasSeed ? fromOf(state, read, place) : undefined
  if (hasSeed && from === undefined) return undefined
  return {
    kind: 'cache',
    target,
    // Free text names no path on the host.
    id: hash('sha256', cacheName(state, read.text('id') ?? target), 'hex'),
    sharing,
    isReadOnly: read.truth('readonly'),
    mode: read.mode(0o755),
    uid: read.id('uid'),
    gid: read.id('gid'),
    seed: from === undefined ? undefined : { from, source: read.text('source') ?? '/' },
  }
}

/** Builds that are given a space of names of their own share no cache with others. */
function cacheName(state: StageState, id: string): string {
  const space = state.input.buildArgs.get('BUILDKIT_CACHE_MOUNT_NS') ?? ''
  return space === '' ? id : JSON.stringify([space, id])
}

function fromOf(state: StageState, read: Reader, place: Place): CopyFrom | undefined {
  const name = read.text('from')
  return name === undefined || name === '' ? { kind: 'context' } : state.copyFrom(name, place)
}

function targetOf(read: Reader, workingDir: string): string {
  const written = read.text('target')
  const target = written === undefined ? '/' : absolute(written, workingDir)
  if (target !== '/') return target
  throw read.refuse(`the target ${JSON.stringify(written ?? '')} is not a path below /`, 'Add target=/some/path.')
}

/** `..` stops at the root. */
function absolute(path: string, workingDir: string): string {
  return cleanPath(path.startsWith('/') ? path : `/${workingDir}/${path}`)
}

type Reader = ReturnType<typeof reader>

function reader(mount: MountFlag, place: Place, expand: Expander) {
  const refuse = (what: string, hint?: string) =>
    buildErrorAt('build.instruction_invalid', place, `RUN --mount=type=${mount.type}: ${what}`, hint)
  const text = (name: string) => {
    const value = mount.options.get(name)
    return value === undefined ? undefined : expand.word(value)
  }
  const number = (name: string, fallback: number, pattern: RegExp, radix: number): number => {
    const value = text(name)
    if (value !== undefined && !pattern.test(value)) throw refuse(`${name} ${JSON.stringify(value)} is not a number`)
    return value === undefined ? fallback : Number.parseInt(value, radix)
  }
  return {
    refuse,
    text,
    mode: (fallback: number) => number('mode', fallback, /^[0-7]{1,4}$/, 8),
    id: (name: 'uid' | 'gid') => number(name, 0, /^\d{1,9}$/, 10),
    truth: (name: string): boolean => {
      const value = text(name) ?? 'false'
      if (/^(?:true|1|false|0)$/i.test(value)) return /^(?:true|1)$/i.test(value)
      throw refuse(`${name}=${value} is neither true nor false`)
    },
  }
}
