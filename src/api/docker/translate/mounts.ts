import { posix } from 'node:path'

import type { BindMountSpec, ContainerRecord, MountSpec, ResolvedMount } from '#engine/containers'

import { dockerError } from '../errors.ts'
import { DEFAULT_PROPAGATION, mountTarget, plainVolume, readBind, volumeName } from './binds.ts'
import type { Reader } from './read.ts'
import { readTmpfs, tmpfsOf } from './tmpfs.ts'

/** Each is a mount(2) at start; far more than anybody needs. */
const MAX_MOUNTS = 1024

/**
 * Everything that is mounted into the container. What the request names must not clash; the image's volumes and those of other containers
 * (VolumesFrom) give way to it. Errors: `docker.field_invalid`, `docker.option_unsupported`.
 */
export function mountSpecs(
  body: Reader,
  hostConfig: Reader,
  imageVolumes: readonly string[],
  containerOf: (ref: string) => ContainerRecord,
): readonly MountSpec[] {
  const driver = hostConfig.text('VolumeDriver')
  const named = new Map<string, MountSpec>()
  for (const mount of requested(hostConfig, driver)) {
    if (named.has(mount.target)) throw dockerError('docker.field_invalid', `Duplicate mount point: ${mount.target}`)
    named.set(mount.target, mount)
  }
  for (const mount of hostConfig.texts('VolumesFrom', []).flatMap((text) => inherited(text, containerOf)))
    if (!named.has(mount.target)) named.set(mount.target, mount)
  for (const path of [...body.keys('Volumes'), ...imageVolumes]) {
    const target = mountTarget(path, path)
    if (!named.has(target)) named.set(target, anonymous(target, driver))
  }
  if (named.size > MAX_MOUNTS) throw dockerError('docker.field_invalid', `more than ${MAX_MOUNTS} mounts`)
  return [...named.values()]
}

function requested(hostConfig: Reader, driver: string): readonly MountSpec[] {
  return [
    ...hostConfig.texts('Binds', []).map((text) => readBind(text, driver)),
    ...hostConfig.list('Mounts').map(mountOf),
    ...Object.entries(hostConfig.textMap('Tmpfs')).map(([target, options]) => readTmpfs(target, options)),
  ]
}

function anonymous(target: string, driver: string): MountSpec {
  return { type: 'volume', name: '', target, isReadOnly: false, ...plainVolume(driver), isAnonymous: true }
}

/** HostConfig.Mounts, the form of `--mount`. */
function mountOf(mount: Reader): MountSpec {
  const type = mount.text('Type')
  const source = mount.text('Source')
  const place = { target: targetOf(mount, type), isReadOnly: mount.bool('ReadOnly') }
  refuseOptionsOfOthers(mount, type)
  if (type === 'bind') return { type, ...place, ...bindOptions(mount, source) }
  if (type === 'volume') return { type, ...place, ...volumeOptions(mount, source) }
  if (type === 'tmpfs') return tmpfsMount(mount, source, place)
  if (['image', 'npipe', 'cluster'].includes(type))
    throw dockerError('docker.option_unsupported', `${mount.at}: mounts of type ${type} are not supported`)
  throw dockerError('docker.field_invalid', `mount type unknown: ${JSON.stringify(type)}`)
}

function targetOf(mount: Reader, type: string): string {
  const target = mount.text('Target')
  if (target === '') throw invalid(type, 'field Target must not be empty')
  return mountTarget(target, target)
}

function refuseOptionsOfOthers(mount: Reader, type: string): void {
  for (const [name, owner] of [
    ['BindOptions', 'bind'],
    ['VolumeOptions', 'volume'],
    ['TmpfsOptions', 'tmpfs'],
  ] as const)
    if (owner !== type && mount.innerOrNull(name) !== null) throw invalid(type, `field ${name} must not be specified`)
}

function bindOptions(mount: Reader, source: string): Omit<BindMountSpec, 'type' | 'target' | 'isReadOnly'> {
  if (source === '') throw invalid('bind', 'field Source must not be empty')
  if (!source.startsWith('/')) throw invalid('bind', `invalid mount path: '${source}' mount path must be absolute`)
  const options = mount.inner('BindOptions')
  const propagation = options.text('Propagation') || DEFAULT_PROPAGATION
  if (!['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'].includes(propagation))
    throw invalid('bind', `invalid propagation mode: ${propagation}`)
  return {
    source: posix.normalize(source),
    propagation: propagation as BindMountSpec['propagation'],
    createSource: options.bool('CreateMountpoint'),
    isRecursive: !options.bool('NonRecursive'),
    ...readOnlyDepth(mount, options, propagation),
  }
}

/** How far `ReadOnly` reaches into what is mounted below; dockerd's rules, api/types/mount. */
function readOnlyDepth(mount: Reader, options: Reader, propagation: string): Pick<BindMountSpec, 'readOnly'> {
  const [isFlat, isForced] = [options.bool('ReadOnlyNonRecursive'), options.bool('ReadOnlyForceRecursive')]
  if (!isFlat && !isForced) return {}
  if (!mount.bool('ReadOnly'))
    throw invalid('bind', `BindOptions.${isFlat ? 'ReadOnlyNonRecursive' : 'ReadOnlyForceRecursive'} needs ReadOnly`)
  if (isFlat && isForced) throw invalid('bind', 'mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive')
  if (isFlat) return { readOnly: 'non-recursive' }
  if (options.bool('NonRecursive')) throw invalid('bind', 'mount options conflict: NonRecursive && ReadOnlyForceRecursive')
  if (propagation !== 'rprivate')
    throw invalid('bind', "BindOptions.ReadOnlyForceRecursive requires BindOptions.Propagation to be 'rprivate'")
  return { readOnly: 'forced' }
}

function volumeOptions(mount: Reader, source: string) {
  const options = mount.inner('VolumeOptions')
  const driver = options.inner('DriverConfig')
  const subpath = options.text('Subpath')
  if (
    subpath !== '' &&
    (subpath.startsWith('/') ||
      posix.normalize(`/${subpath}`) !== `/${posix.normalize(subpath)}` ||
      subpath.split('/').includes('..'))
  )
    throw invalid('volume', `subpath ${JSON.stringify(subpath)} must be a relative path within the volume`)
  if (source === '' && subpath !== '') throw invalid('volume', 'must not set Subpath when using anonymous volumes')
  return {
    name: source === '' ? '' : volumeName(source),
    isNoCopy: options.bool('NoCopy'),
    subpath,
    driver: driver.text('Name') || 'local',
    driverOptions: driver.textMap('Options'),
    labels: options.textMap('Labels'),
    isAnonymous: source === '',
  }
}

function tmpfsMount(mount: Reader, source: string, place: { readonly target: string; readonly isReadOnly: boolean }): MountSpec {
  if (source !== '') throw invalid('tmpfs', 'field Source must not be specified')
  const options = mount.inner('TmpfsOptions')
  const spec = tmpfsOf(place.target, [...(place.isReadOnly ? ['ro'] : []), ...flagTexts(options)])
  const sizeBytes = options.int('SizeBytes') || null
  if (sizeBytes !== null && sizeBytes < 0) throw invalid('tmpfs', `SizeBytes: ${sizeBytes} is negative`)
  return { ...spec, sizeBytes: sizeBytes ?? spec.sizeBytes, mode: options.int('Mode') || spec.mode }
}

/** TmpfsOptions.Options: `[["noexec"], ["uid", "1000"]]`. */
function flagTexts(options: Reader): readonly string[] {
  const raw = options.raw('Options') ?? []
  if (
    !Array.isArray(raw) ||
    !raw.every(
      (pair) => Array.isArray(pair) && pair.length > 0 && pair.length < 3 && pair.every((part) => typeof part === 'string'),
    )
  )
    throw invalid('tmpfs', 'Options: must be an array of arrays of one or two texts')
  return (raw as readonly (readonly string[])[]).map((pair) => pair.join('='))
}

/** `container[:ro|rw]`: what that container has, under the same paths. */
function inherited(text: string, containerOf: (ref: string) => ContainerRecord): readonly MountSpec[] {
  const mark = text.lastIndexOf(':')
  const ref = mark === -1 ? text : text.slice(0, mark)
  const mode = mark === -1 ? 'rw' : text.slice(mark + 1)
  if (ref === '' || (mode !== 'ro' && mode !== 'rw' && mode !== 'z' && mode !== 'Z'))
    throw dockerError('docker.field_invalid', `invalid volumes-from specification: '${text}'`)
  return containerOf(ref).mounts.flatMap((mount) => sameMount(mount, mode === 'ro'))
}

function sameMount(mount: ResolvedMount, isReadOnly: boolean): readonly MountSpec[] {
  const place = { target: mount.target, isReadOnly: isReadOnly || mount.isReadOnly }
  if (mount.type === 'volume') return [{ type: 'volume', name: mount.name, ...place, ...plainVolume(mount.driver) }]
  if (mount.type === 'tmpfs') return []
  const propagation = (mount.propagation || DEFAULT_PROPAGATION) as BindMountSpec['propagation']
  return [{ type: 'bind', source: mount.source, ...place, propagation, createSource: false, isRecursive: true }]
}

function invalid(type: string, why: string): Error {
  return dockerError('docker.field_invalid', `invalid mount config for type ${JSON.stringify(type)}: ${why}`)
}
