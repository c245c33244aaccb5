import type { ReadContext } from './context.ts'
import { type Field, withoutNulls } from './fields.ts'
import type { BindMountSpec, MountSpec, TmpfsMountSpec, VolumeMountSpec } from './model.ts'
import { hostPath, looksLikePath } from './paths.ts'

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'] as const

/** `volumes` and `tmpfs` of one service. */
export function readMounts(service: Field, context: ReadContext): readonly MountSpec[] {
  const volumes = service.child('volumes')
  const mounts = [
    ...volumes.items().flatMap((item) => (item.isMapping() ? readLongMount(item, context) : readShortMount(item, context))),
    ...readTmpfs(service.child('tmpfs')),
  ]
  const seen = new Set<string>()
  for (const { target } of mounts) {
    if (seen.has(target)) volumes.refuse(`two mounts have the same target ${target}`)
    seen.add(target)
  }
  return mounts
}

function checkTarget(item: Field, target: string | null): target is string {
  if (target === null || target === '') return false
  if (target.startsWith('/') && target !== '/') return true
  item.refuse(`mount target ${JSON.stringify(target)} must be an absolute path below /`)
  return false
}

/** `[source:]target[:mode]`. */
function readShortMount(item: Field, context: ReadContext): readonly MountSpec[] {
  const text = item.text()
  if (text === null) return []
  const parts = text.split(':')
  if (parts.length > 3) {
    item.refuse(`volume ${JSON.stringify(text)} is not [source:]target[:mode]`)
    return []
  }
  const [source, target, mode] =
    parts.length === 1 ? [null, parts[0] ?? '', ''] : [parts[0] ?? '', parts[1] ?? '', parts[2] ?? '']
  const modes = mode.split(',').filter((part) => part !== '')
  const propagation = PROPAGATIONS.find((known) => modes.includes(known))
  for (const unknown of modes.filter((part) => !['ro', 'rw', 'z', 'Z', 'nocopy'].includes(part) && part !== propagation)) {
    item.refuse(`volume ${JSON.stringify(text)}: mode "${unknown}" is not supported yet`)
  }
  if (!checkTarget(item, target)) return []
  const isReadOnly = modes.includes('ro')
  if (source !== null && looksLikePath(source)) {
    return [
      bind({
        source: hostPath(item.origin, source),
        target,
        isReadOnly,
        createSource: true,
        propagation: propagation ?? 'rprivate',
      }),
    ]
  }
  return volume(item, context, { source, target, isReadOnly, isNoCopy: modes.includes('nocopy'), subpath: '' })
}

function readLongMount(item: Field, context: ReadContext): readonly MountSpec[] {
  item.only(['type', 'source', 'target', 'read_only', 'bind', 'volume', 'tmpfs', 'consistency'])
  const type = item.child('type').oneOf(['bind', 'volume', 'tmpfs'])
  if (type === null && item.child('type').isPresent)
    item
      .child('type')
      .refuse(`mount type ${JSON.stringify(item.child('type').value)} is not supported: use bind, volume or tmpfs`)
  const source = item.child('source').text()
  const target = item.child('target').text()
  const isReadOnly = item.child('read_only').flag() ?? false
  if (!checkTarget(item, target)) return []
  if (type === 'tmpfs') {
    const options = item.child('tmpfs')
    options.only(['size', 'mode'])
    return [
      {
        type,
        target,
        sizeBytes: options.child('size').bytes(),
        mode: options.child('mode').whole(),
        options: isReadOnly ? ['ro'] : [],
      },
    ]
  }
  if (type === 'bind') {
    const options = item.child('bind')
    options.only(['propagation', 'create_host_path', 'recursive', 'selinux'])
    if (source === null) item.refuse('a bind mount needs a "source"')
    const propagation = options.child('propagation').oneOf(PROPAGATIONS) ?? 'rprivate'
    const createSource = options.child('create_host_path').flag() ?? true
    const recursion = readRecursion(options.child('recursive'))
    const path = source === null ? null : hostPath(item.origin, source)
    return path === null ? [] : [bind({ source: path, target, isReadOnly, createSource, propagation, ...recursion })]
  }
  const options = item.child('volume')
  options.only(['nocopy', 'subpath', 'labels'])
  const isNoCopy = options.child('nocopy').flag() ?? false
  const labels = withoutNulls(options.child('labels').pairs())
  if (source !== null && Object.keys(labels).length > 0)
    options.child('labels').refuse('labels of a named volume are said under the top-level "volumes"')
  const subpath = options.child('subpath').text() ?? ''
  const spec = { source, target, isReadOnly, isNoCopy, subpath, ...(Object.keys(labels).length === 0 ? {} : { labels }) }
  return volume(item, context, spec)
}

/** What `bind.recursive` means for what is mounted below the source, and for its being read-only. */
function readRecursion(recursive: Field): Pick<BindMountSpec, 'isRecursive' | 'readOnly'> {
  const value = recursive.oneOf(['enabled', 'disabled', 'writable', 'readonly'])
  if (value === 'disabled') return { isRecursive: false }
  return value === 'writable' ? { readOnly: 'non-recursive' } : value === 'readonly' ? { readOnly: 'forced' } : {}
}

function bind(spec: Omit<BindMountSpec, 'type'>): BindMountSpec {
  return { type: 'bind', ...spec }
}

function volume(
  item: Field,
  context: ReadContext,
  of: Omit<VolumeMountSpec, 'type' | 'volume'> & { readonly source: string | null },
): readonly MountSpec[] {
  const { source, ...rest } = of
  if (source !== null && !context.volumes.includes(source)) {
    item.refuse(`volume "${source}" is not declared under the top-level "volumes"`)
    return []
  }
  return [{ type: 'volume', volume: source, ...rest }]
}

/** `path[:option,option]`. */
function readTmpfs(tmpfs: Field): readonly TmpfsMountSpec[] {
  return tmpfs.texts().flatMap((text) => {
    const [target = '', options = ''] = text.split(':', 2)
    if (!checkTarget(tmpfs, target)) return []
    return [
      {
        type: 'tmpfs',
        target,
        sizeBytes: null,
        mode: null,
        options: options.split(',').filter((option) => option !== ''),
      } as const,
    ]
  })
}
