import type { ContainerSpec, MountSpec, ResolvedMount } from '#engine/containers'

/** MountPoint of the API description: what is mounted, resolved. */
export function mountPoints(mounts: readonly ResolvedMount[]) {
  return mounts.map((mount) => ({
    Type: mount.type,
    ...(mount.type === 'volume' ? { Name: mount.name } : {}),
    Source: mount.source,
    Destination: mount.target,
    ...(mount.type === 'volume' ? { Driver: mount.driver } : {}),
    Mode: mount.type === 'volume' && !mount.isReadOnly ? 'z' : mount.isReadOnly ? 'ro' : '',
    RW: !mount.isReadOnly,
    Propagation: mount.propagation,
  }))
}

/** HostConfig's three ways of saying a mount: short forms where they say it all, the long one otherwise. */
export function mountRequests(spec: ContainerSpec) {
  const named = spec.mounts.filter((mount) => mount.type !== 'volume' || !mount.isAnonymous)
  const tmpfs = named.filter((mount) => mount.type === 'tmpfs')
  const mounts = named.filter((mount) => mount.type !== 'tmpfs' && !isShort(mount))
  return {
    Binds: named.filter((mount) => mount.type !== 'tmpfs' && isShort(mount)).map(bindText),
    ...(tmpfs.length === 0 ? {} : { Tmpfs: Object.fromEntries(tmpfs.map((mount) => [mount.target, tmpfsText(mount)])) }),
    ...(mounts.length === 0 ? {} : { Mounts: mounts.map(longForm) }),
  }
}

function isShort(mount: MountSpec): boolean {
  if (mount.type === 'bind') return mount.createSource && mount.isRecursive && mount.readOnly === undefined
  if (mount.type === 'tmpfs') return false
  const isPlain = mount.subpath === '' && mount.driver === 'local'
  return isPlain && Object.keys(mount.driverOptions).length === 0 && Object.keys(mount.labels).length === 0
}

function bindText(mount: MountSpec): string {
  if (mount.type === 'tmpfs') return mount.target
  const options = [
    ...(mount.isReadOnly ? ['ro'] : []),
    ...(mount.type === 'bind' && mount.propagation !== 'rprivate' ? [mount.propagation] : []),
    ...(mount.type === 'volume' && mount.isNoCopy ? ['nocopy'] : []),
  ]
  const source = mount.type === 'bind' ? mount.source : mount.name
  return [source, mount.target, ...(options.length === 0 ? [] : [options.join(',')])].join(':')
}

function tmpfsText(mount: MountSpec): string {
  if (mount.type !== 'tmpfs') return ''
  const size = mount.sizeBytes === null ? [] : [`size=${mount.sizeBytes}`]
  const mode = mount.mode === null ? [] : [`mode=${mount.mode.toString(8)}`]
  return [...mount.options, ...size, ...mode].join(',')
}

function longForm(mount: MountSpec) {
  if (mount.type === 'tmpfs') return { Type: mount.type, Target: mount.target }
  const common = { Type: mount.type, Target: mount.target, ReadOnly: mount.isReadOnly }
  if (mount.type === 'bind') {
    const options = {
      Propagation: mount.propagation,
      NonRecursive: !mount.isRecursive,
      CreateMountpoint: mount.createSource,
      ...(mount.readOnly === 'non-recursive' ? { ReadOnlyNonRecursive: true } : {}),
      ...(mount.readOnly === 'forced' ? { ReadOnlyForceRecursive: true } : {}),
    }
    return { ...common, Source: mount.source, BindOptions: options }
  }
  const options = {
    NoCopy: mount.isNoCopy,
    Labels: mount.labels,
    ...(mount.subpath === '' ? {} : { Subpath: mount.subpath }),
    DriverConfig: { Name: mount.driver, Options: mount.driverOptions },
  }
  return { ...common, Source: mount.name, VolumeOptions: options }
}
