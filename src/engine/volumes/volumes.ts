import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { during, keyedLocks, type Clock, type Log, type Random, type RecordStore } from '#base'
import type { Events } from '#engine/events'
import type { Host } from '#host'

import { directoryBytes } from './directory-bytes.ts'
import { volumeError } from './errors.ts'
import { clearLeftovers, finishRemoval, type LeftoverNeeds } from './leftovers.ts'
import { readLocalOptions } from './local-options.ts'
import { hostMounter, type Mounter } from './mounter.ts'
import type { VolumeRecord, Volumes } from './port.ts'

/** What volumes need of the rest of the engine. */
export interface VolumesNeeds {
  /** Directory of the instance; volumes live in `volumes/NAME/_data` below it. */
  readonly root: string
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  readonly log: Log
  readonly host: Pick<Host, 'mounts'>
  /** Names of the containers that refer to the volume. */
  readonly usersOf: (name: string) => readonly string[]
  /** Of those, the ones whose process is there. */
  readonly runningUsersOf: (name: string) => readonly string[]
  /** For tests. */
  readonly mounter?: Mounter
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

export function createVolumes(needs: VolumesNeeds): Volumes & { recover(): Promise<void> } {
  const table = needs.records.table<VolumeRecord>('volume')
  const removals = needs.records.table<Record<string, never>>('volume_removal')
  const volumes = new Map<string, VolumeRecord>(table.entries())
  const holders = new Map<string, Set<string>>()
  const locks = keyedLocks()
  const home = join(needs.root, 'volumes')
  const mounter = needs.mounter ?? hostMounter(needs.host)
  const leftovers: LeftoverNeeds = { home, log: needs.log, mounter, removals, isVolume: (name) => volumes.has(name) }

  const get = (name: string): VolumeRecord => {
    const volume = volumes.get(name)
    if (volume === undefined) throw volumeError('volume.not_found', `get ${name}: no such volume`)
    return volume
  }

  const make: Volumes['create'] = async (options) => {
    const name = readName(options.name) ?? needs.random.bytes(32).toString('hex')
    readDriver(options.driver)
    readLocalOptions(options.driverOptions)
    using _turn = await locks.acquire(name)
    const known = volumes.get(name)
    if (known !== undefined) return sameOrThrow(known, options)
    // A removal of the same name that has not been finished: nothing of the old one may come back.
    if (removals.get(name) !== undefined) await finishRemoval(leftovers, name)
    const mountpoint = join(home, name, '_data')
    await mkdir(mountpoint, { recursive: true, mode: 0o755 })
    const volume: VolumeRecord = {
      name,
      driver: 'local',
      mountpoint,
      createdAt: new Date(needs.clock.nowMs()).toISOString(),
      labels: options.labels,
      options: options.driverOptions,
      isAnonymous: options.isAnonymous,
    }
    table.put(name, volume)
    volumes.set(name, volume)
    publish('create', name)
    return volume
  }

  /** The record goes, and in the same breath it is noted that its files are to go: a start after a crash finishes that. */
  const remove = async (name: string): Promise<void> => {
    needs.records.atomically(() => {
      table.delete(name)
      removals.put(name, {})
    })
    volumes.delete(name)
    holders.delete(name)
    await finishRemoval(leftovers, name)
    publish('destroy', name)
  }

  const publish = (action: string, name: string) =>
    needs.events.publish({ type: 'volume', action, actorId: name, attributes: { driver: 'local' } })

  /** Who is not a container (yet) and works on its files is known by the name it holds it under. */
  const usersOrHolders = (name: string) => {
    const users = needs.usersOf(name)
    return users.length > 0 ? users : [...(holders.get(name) ?? [])]
  }

  const removeUnused = async (name: string): Promise<void> => {
    const users = usersOrHolders(name)
    if (users.length > 0) {
      throw volumeError('volume.in_use', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
        hint: 'Remove these containers first; a volume is never taken from under one.',
      })
    }
    await remove(name)
  }

  return {
    create: make,
    get,
    list: () => [...volumes.values()],
    users: needs.usersOf,
    usageBytes: async (name) => await directoryBytes(get(name).mountpoint),
    remove: async (name, { force }) => {
      using _turn = await locks.acquire(name)
      if (force && !volumes.has(name)) return
      get(name)
      await removeUnused(name)
    },
    prune: async ({ all, keep }) => {
      const deleted: string[] = []
      let reclaimedBytes = 0
      for (const volume of [...volumes.values()]) {
        using _turn = await locks.acquire(volume.name)
        const isFree = () => volumes.has(volume.name) && usersOrHolders(volume.name).length === 0
        if (!(all || volume.isAnonymous) || keep(volume) || !isFree()) continue
        const bytes = await directoryBytes(volume.mountpoint)
        // Counting takes time: a container may have come to it meanwhile.
        if (!isFree()) continue
        await remove(volume.name)
        reclaimedBytes += bytes
        deleted.push(volume.name)
      }
      needs.events.publish({ type: 'volume', action: 'prune', actorId: '', attributes: { reclaimed: String(reclaimedBytes) } })
      return { deleted, reclaimedBytes }
    },
    hold: async (name, holder) => {
      const { options, mountpoint } = get(name)
      const mount = readLocalOptions(options)
      if (mount === null) return
      using _turn = await locks.acquire(name)
      get(name)
      try {
        if (!mounter.isMounted(mountpoint)) await mounter.mount(mount, mountpoint)
      } catch (error) {
        throw during(`error while mounting volume '${name}'`, error)
      }
      holders.set(name, (holders.get(name) ?? new Set()).add(holder))
    },
    release: async (name, holder) => {
      const volume = volumes.get(name)
      if (volume === undefined || Object.keys(volume.options).length === 0) return
      using _turn = await locks.acquire(name)
      holders.get(name)?.delete(holder)
      if ((holders.get(name)?.size ?? 0) > 0 || needs.runningUsersOf(name).length > 0) return
      holders.delete(name)
      if (mounter.isMounted(volume.mountpoint)) mounter.unmount(volume.mountpoint)
    },
    exclusively: async (name, work) => await locks.run(name, work),
    recover: async () => {
      await mkdir(home, { recursive: true, mode: 0o711 })
      await clearLeftovers(leftovers)
    },
  }
}

function sameOrThrow(known: VolumeRecord, wanted: Parameters<Volumes['create']>[0]): VolumeRecord {
  const isSame = Object.entries(wanted.driverOptions).every(([key, value]) => known.options[key] === value)
  if (!isSame) {
    throw volumeError('volume.conflict', `volume ${known.name} exists with other options (${JSON.stringify(known.options)})`, {
      hint: 'Use another name, or remove the volume first.',
    })
  }
  return known
}

function readName(name: string | null): string | null {
  if (name === null || NAME.test(name)) return name
  throw volumeError(
    'volume.name_invalid',
    `create ${JSON.stringify(name)}: a volume's name has letters, digits, _ . and -, and starts with a letter or digit`,
    { hint: 'To mount a directory of the host, write its absolute path.' },
  )
}

function readDriver(driver: string): void {
  if (driver === '' || driver === 'local') return
  throw volumeError('volume.driver_unknown', `create volume: driver ${JSON.stringify(driver)} is not known; there is "local"`)
}
