import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { systemCodeOf } from '#base'
import type { Clock } from '#base'
import { isGone, pidsBelow, readCgroupText, removeEmpty, removeTree } from './cgroup-changes.ts'
import { parseKeyed } from './cgroup-figures.ts'
import { cgroupLayout, hierarchyOf, unifiedOf } from './cgroup-layout.ts'
import type { CgroupHierarchy, CgroupLayout } from './cgroup-layout.ts'
import { cgroupSample, sampleBuffer } from './cgroup-sample.ts'
import { cgroupUsage } from './cgroup-usage.ts'
import { vacateRoot } from './cgroup-vacate.ts'
import { cgroupWarmer } from './cgroup-warm.ts'
import { hostError } from './errors.ts'
import type { CgroupPort } from './port-cgroups.ts'
import type { MountPort } from './port-mounts.ts'

/** Freezing waits for every task to reach a safe point; one stuck in the kernel can keep it from that. */
const FREEZE_TIMEOUT_MS = 5000
/** A killed process may sit in the kernel a while (a slow disk); after this the caller must know. */
const KILL_TIMEOUT_MS = 10_000
const POLL_MS = 2

export interface CgroupOptions {
  readonly mounts: MountPort
  readonly clock: Clock
  /** Kills what is in the list at the moment when `stillListed` is asked, never a process that took over a pid. */
  readonly killListed: (pids: readonly number[], stillListed: () => readonly number[]) => void
  /** Where `warm` keeps its two groups, below the root. */
  readonly ownPath: string
}

export function linuxCgroups({ mounts, clock, killListed, ownPath }: CgroupOptions): CgroupPort & Disposable {
  const layout = cgroupLayout(mounts.list(), (mountPoint) => readCgroupText(join(mountPoint, 'cgroup.controllers')) ?? '')
  const directories = (path: string) => layout.hierarchies.map(({ mountPoint }) => join(mountPoint, checkPath(path)))
  const main = layout.hierarchies.find(({ version }) => version === (layout.mode === 'v2' ? 2 : 1))
  const warmer = cgroupWarmer((hierarchyOf(layout, 'freezer') ?? main)?.mountPoint ?? '/sys/fs/cgroup', ownPath)
  const pidsIn = (path: string) => [...new Set(directories(path).flatMap(pidsBelow))]
  const freezer = freezerOf(layout)
  const places = controllerPlaces(layout)
  let buffer: Buffer | undefined
  return {
    mode: layout.mode,
    controllers: [...new Set(layout.hierarchies.flatMap(({ controllers }) => controllers))],
    createParent: (path) => {
      // Beside v1 the v2 tree only carries processes: handing controllers down in it would change the host for others.
      const working = layout.hierarchies.filter(({ version }) => version === 1 || layout.mode === 'v2')
      for (const hierarchy of working) {
        if (hierarchy.version === 2) vacateRoot(hierarchy.mountPoint, hierarchy.controllers)
        createGroup(hierarchy, checkPath(path))
      }
    },
    exists: (path) => directories(path).some((directory) => existsSync(directory)),
    usage: (path) => {
      if (!directories(path).some((directory) => existsSync(directory))) return undefined
      const of = (controller: string) => hierarchyOf(layout, controller)
      return cgroupUsage(
        (controller, file) => {
          const hierarchy = of(controller)
          return hierarchy === undefined ? undefined : readCgroupText(join(hierarchy.mountPoint, path, file))
        },
        (controller) => of(controller)?.version === 2 || (layout.mode === 'v2' && of(controller) === undefined),
      )
    },
    sample: (path, options) => {
      checkPath(path)
      buffer ??= sampleBuffer()
      return cgroupSample((controller) => places(controller, path), buffer, options)
    },
    pids: (path) => {
      const first = directories(path).find((directory) => existsSync(directory))
      return first === undefined ? [] : pidsBelow(first)
    },
    freezeState: (path) => freezer.state(checkPath(path)),
    setFrozen: async (path, isFrozen) => {
      freezer.set(checkPath(path), isFrozen)
      const wanted = isFrozen ? 'frozen' : 'thawed'
      await pollUntil(clock, FREEZE_TIMEOUT_MS, () => freezer.state(path) === wanted, `cgroup ${path} is not ${wanted}`)
    },
    kill: async (path) => {
      for (const directory of directories(path)) writeIfThere(join(directory, 'cgroup.kill'), '1')
      const isEmpty = () => {
        const pids = pidsIn(path)
        if (pids.length === 0) return true
        killListed(pids, () => pidsIn(path))
        if (freezer.state(path) !== 'thawed') freezer.set(path, false)
        return false
      }
      await pollUntil(clock, KILL_TIMEOUT_MS, isEmpty, `cgroup ${path} still has processes after SIGKILL`)
    },
    remove: async (path) => {
      await Promise.all(directories(path).map((directory) => removeTree(clock, directory)))
    },
    removeIfEmpty: (path) => {
      for (const directory of directories(path)) removeEmpty(directory)
    },
    warm: () => warmer.warm(),
    maskUnifiedControllers: () => maskUnified(layout, mounts),
    [Symbol.dispose]: () => warmer[Symbol.dispose](),
  }
}

/** Which tree a controller is in is looked up once. */
function controllerPlaces(layout: CgroupLayout) {
  const known = new Map<string, { readonly mountPoint: string; readonly isV2: boolean } | undefined>()
  return (controller: string, path: string) => {
    if (!known.has(controller)) {
      const found = controller === 'pressure' ? pressureTree(layout) : hierarchyOf(layout, controller)
      known.set(controller, found === undefined ? undefined : { mountPoint: found.mountPoint, isV2: found.version === 2 })
    }
    const place = known.get(controller)
    return place === undefined ? undefined : { directory: place.mountPoint + path, isV2: place.isV2 }
  }
}

/** The v2 tree, if the kernel tells of waiting. */
function pressureTree(layout: CgroupLayout): CgroupHierarchy | undefined {
  return existsSync('/proc/pressure/cpu') ? unifiedOf(layout) : undefined
}

function checkPath(path: string): string {
  if (path.startsWith('/') && path !== '/' && !path.split('/').includes('..')) return path
  throw hostError('host.cgroup_failed', `${JSON.stringify(path)} is not an absolute path of a cgroup below the root`)
}

async function pollUntil(clock: Clock, timeoutMs: number, isDone: () => boolean, complaint: string): Promise<void> {
  const startMs = clock.monotonicMs()
  while (!isDone()) {
    if (clock.monotonicMs() - startMs > timeoutMs)
      throw hostError('host.cgroup_timeout', `${complaint} after ${timeoutMs} ms`, { details: { errno: 'ETIMEDOUT' } })
    await clock.sleep(POLL_MS)
  }
}

/** False when there is no such file. */
function writeIfThere(path: string, text: string): boolean {
  try {
    // 'r+' and not 'w': on the tmpfs above the hierarchies the latter would make a plain file.
    writeFileSync(path, text, { flag: 'r+' })
    return true
  } catch (error) {
    if (isGone(error)) return false
    throw hostError('host.cgroup_failed', `write ${JSON.stringify(text)} to ${path}: ${systemCodeOf(error) ?? String(error)}`, {
      cause: error,
      details: { errno: systemCodeOf(error) },
    })
  }
}

function createGroup({ version, mountPoint, controllers }: CgroupHierarchy, path: string): void {
  const steps = path.split('/').filter(Boolean)
  for (const at of steps.keys()) {
    const directory = join(mountPoint, ...steps.slice(0, at + 1))
    const isNew = mkdirSync(directory, { recursive: true }) !== undefined
    if (version === 2) handDown(dirname(directory), controllers)
    else if (isNew && controllers.includes('cpuset')) inheritCpuset(directory)
  }
  if (version === 2) handDown(join(mountPoint, path), controllers)
}

/** A v2 group only has the controllers that its parent hands down; each on its own, for one may be refused (processes inside). */
function handDown(directory: string, controllers: readonly string[]): void {
  const enabled = new Set((readCgroupText(join(directory, 'cgroup.subtree_control')) ?? '').split(/\s+/))
  for (const controller of controllers) {
    if (enabled.has(controller)) continue
    try {
      writeFileSync(join(directory, 'cgroup.subtree_control'), `+${controller}`, { flag: 'r+' })
    } catch (error) {
      const code = systemCodeOf(error)
      // hugetlb and friends may not be delegable; what a container really asks for is refused later, by name.
      if (code === 'EBUSY' || code === 'ENOENT' || code === 'EOPNOTSUPP' || code === 'EINVAL') continue
      throw hostError('host.cgroup_failed', `hand ${controller} down in ${directory}: ${code ?? String(error)}`, { cause: error })
    }
  }
}

/** A fresh v1 cpuset is empty and takes no process until it has cores and memory nodes. */
function inheritCpuset(directory: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const inherited = readCgroupText(join(dirname(directory), file))?.trim()
    if (inherited !== undefined && inherited !== '') writeIfThere(join(directory, file), inherited)
  }
}

interface Freezer {
  state(path: string): 'thawed' | 'freezing' | 'frozen'
  set(path: string, isFrozen: boolean): void
}

function freezerOf(layout: CgroupLayout): Freezer {
  const v1 = hierarchyOf(layout, 'freezer')
  const mountPoint = (v1 ?? unifiedOf(layout))?.mountPoint ?? '/sys/fs/cgroup'
  if (v1 !== undefined)
    return {
      state: (path) => {
        const state = readCgroupText(join(mountPoint, path, 'freezer.state'))?.trim()
        return state === 'FROZEN' ? 'frozen' : state === 'FREEZING' ? 'freezing' : 'thawed'
      },
      set: (path, isFrozen) => void writeIfThere(join(mountPoint, path, 'freezer.state'), isFrozen ? 'FROZEN' : 'THAWED'),
    }
  return {
    state: (path) => {
      if (parseKeyed(readCgroupText(join(mountPoint, path, 'cgroup.events'))).frozen === 1) return 'frozen'
      return readCgroupText(join(mountPoint, path, 'cgroup.freeze'))?.trim() === '1' ? 'freezing' : 'thawed'
    },
    set: (path, isFrozen) => void writeIfThere(join(mountPoint, path, 'cgroup.freeze'), isFrozen ? '1' : '0'),
  }
}

function maskUnified(layout: CgroupLayout, mounts: MountPort): boolean {
  const unified = layout.mode === 'hybrid' ? unifiedOf(layout) : undefined
  if (unified === undefined) return false
  const target = join(unified.mountPoint, 'cgroup.controllers')
  const isMasked = mounts.list(target).some((mount) => mount.target === target)
  if (!isMasked) mounts.bind({ source: '/dev/null', target })
  return true
}
