import { posix } from 'node:path'

import type { BindMountSpec, MountSpec } from '#engine/containers'

import { dockerError } from '../errors.ts'

type Propagation = BindMountSpec['propagation']

const PROPAGATIONS: ReadonlySet<string> = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'])
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

export const DEFAULT_PROPAGATION: Propagation = 'rprivate'

/** HostConfig.Binds: `source:target[:options]`; a source without a leading slash is a volume's name. Errors: `docker.field_invalid`. */
export function readBind(text: string, volumeDriver: string): MountSpec {
  const parts = text.split(':')
  const [source = '', target = '', options = ''] = parts
  if (parts.length < 2 || parts.length > 3 || source === '' || target === '')
    throw dockerError('docker.field_invalid', `invalid volume specification: '${text}'`)
  const mode = readMode(options, text)
  const place = { target: mountTarget(target, text), isReadOnly: mode.isReadOnly }
  if (source.startsWith('/')) {
    if (mode.isNoCopy)
      throw dockerError('docker.field_invalid', `invalid mode: ${options}: nocopy is for volumes, '${source}' is a path`)
    const propagation = mode.propagation ?? DEFAULT_PROPAGATION
    return { type: 'bind', source: posix.normalize(source), ...place, propagation, createSource: true, isRecursive: true }
  }
  if (mode.propagation !== null)
    throw dockerError('docker.field_invalid', `invalid mode: ${options}: propagation is for paths, '${source}' is a volume`)
  return { type: 'volume', name: volumeName(source), ...place, ...plainVolume(volumeDriver), isNoCopy: mode.isNoCopy }
}

export function plainVolume(driver: string) {
  return { isNoCopy: false, subpath: '', driver: driver || 'local', driverOptions: {}, labels: {}, isAnonymous: false } as const
}

export function volumeName(name: string): string {
  if (VOLUME_NAME.test(name)) return name
  throw dockerError(
    'docker.field_invalid',
    `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  )
}

/** A place inside the container: absolute, clean, and not the root. */
export function mountTarget(path: string, of: string): string {
  if (!path.startsWith('/'))
    throw dockerError('docker.field_invalid', `invalid mount path: '${path}' mount path must be absolute`)
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1')
  if (clean === '/') throw dockerError('docker.field_invalid', `invalid specification: destination can't be '/': '${of}'`)
  if (clean.includes('\0'))
    throw dockerError('docker.field_invalid', `invalid mount path: ${JSON.stringify(path)} holds a zero byte`)
  return clean
}

interface BindMode {
  readonly isReadOnly: boolean
  readonly isNoCopy: boolean
  readonly propagation: Propagation | null
}

/** Each kind of option once: `ro` or `rw`, one propagation, `nocopy`, an SELinux label (z, Z: no SELinux here, so there is nothing to relabel). */
function readMode(text: string, bind: string): BindMode {
  let mode: BindMode = { isReadOnly: false, isNoCopy: false, propagation: null }
  const seen = new Set<string>()
  for (const option of text === '' ? [] : text.split(',')) {
    const { kind, change } = bindOption(option, text)
    if (seen.has(kind)) throw dockerError('docker.field_invalid', `invalid mode: ${text} in volume specification '${bind}'`)
    seen.add(kind)
    mode = { ...mode, ...change }
  }
  return mode
}

function bindOption(option: string, text: string): { readonly kind: string; readonly change: Partial<BindMode> } {
  if (option === 'ro' || option === 'rw') return { kind: 'access', change: { isReadOnly: option === 'ro' } }
  if (option === 'nocopy') return { kind: 'copy', change: { isNoCopy: true } }
  if (option === 'z' || option === 'Z') return { kind: 'label', change: {} }
  // Docker Desktop's consistency modes order nothing on Linux, and compose files carry them.
  if (option === 'consistent' || option === 'cached' || option === 'delegated') return { kind: 'consistency', change: {} }
  if (PROPAGATIONS.has(option)) return { kind: 'propagation', change: { propagation: option as Propagation } }
  throw dockerError('docker.field_invalid', `invalid mode: ${text}`)
}
