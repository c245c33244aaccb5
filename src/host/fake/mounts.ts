import { hostError } from '../errors.ts'
import { isAtOrBelow } from '../mountinfo.ts'
import type { MountEntry, MountPort } from '../port-mounts.ts'
import type { Recorder } from './record.ts'

/** Keeps a mount table and mounts nothing. */
export function fakeMounts({ record }: Recorder): MountPort {
  const table: MountEntry[] = []
  const add = (entry: Pick<MountEntry, 'target' | 'type' | 'source'> & { readonly options?: readonly string[] }) => {
    table.push({
      id: table.length + 100,
      parentId: 1,
      device: '0:1',
      root: '/',
      options: ['rw'],
      propagation: [],
      superOptions: [],
      ...entry,
    })
  }
  return {
    erofs: (options) => {
      record('mounts.erofs', options)
      add({ target: options.target, type: 'erofs', source: options.index, options: ['ro'] })
    },
    overlay: (options) => {
      record('mounts.overlay', options)
      add({ target: options.target, type: 'overlay', source: 'overlay', options: [options.upper === undefined ? 'ro' : 'rw'] })
    },
    bind: (options) => {
      record('mounts.bind', options)
      add({
        target: options.target,
        type: 'bind',
        source: options.source,
        options: [options.readOnly === true ? 'ro' : 'rw'],
      })
    },
    tmpfs: (options) => {
      record('mounts.tmpfs', options)
      add({ target: options.target, type: 'tmpfs', source: 'tmpfs' })
    },
    idmapped: (options) => {
      record('mounts.idmapped', options)
      add({ target: options.target, type: 'bind', source: options.source, options: [options.readOnly === true ? 'ro' : 'rw'] })
    },
    unmount: (target, options) => {
      record('mounts.unmount', target, options)
      const at = table.findLastIndex((entry) => entry.target === target)
      if (at >= 0) table.splice(at, 1)
    },
    makePrivate: (target) => {
      record('mounts.makePrivate', target)
      if (!table.some((entry) => entry.target === target))
        throw hostError('host.mount_failed', `make ${target} private: EINVAL`, { details: { errno: 'EINVAL' } })
    },
    list: (under) => (under === undefined ? [...table] : table.filter(({ target }) => isAtOrBelow(target, under))),
  }
}
