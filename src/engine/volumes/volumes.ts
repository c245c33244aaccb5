import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { keyedLocks, type Clock, type Random, type RecordStore } from '#base'
import type { Events } from '#engine/events'

import { directoryBytes } from './directory-bytes.ts'
import { volumeError } from './errors.ts'
import type { VolumeRecord, Volumes } from './port.ts'

/** What volumes need of the rest of the engine. */
export interface VolumesNeeds {
  /** Directory of the instance; volumes live in `volumes/NAME/_data` below it. */
  readonly root: string
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  /** Names of the containers that refer to the volume. */
  readonly usersOf: (name: string) => readonly string[]
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

export function createVolumes(needs: VolumesNeeds): Volumes & { recover(): Promise<void> } {
  const table = needs.records.table<VolumeRecord>('volume')
  const volumes = new Map<string, VolumeRecord>(table.entries())
  const locks = keyedLocks()
  const home = join(needs.root, 'volumes')

  const get = (name: string): VolumeRecord => {
    const volume = volumes.get(name)
    if (volume === undefined) throw volumeError('volume.not_found', `get ${name}: no such volume`)
    return volume
  }

  const make: Volumes['create'] = async (options) => {
    refuseUnsupported(options)
    const name = options.name ?? needs.random.bytes(32).toString('hex')
    using _turn = await locks.acquire(name)
    const known = volumes.get(name)
    if (known !== undefined) return sameOrThrow(known, options)
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

  /** The record goes first: a directory without a record is swept at the next start, never the other way round. */
  const remove = async (name: string): Promise<void> => {
    table.delete(name)
    volumes.delete(name)
    await rm(join(home, name), { recursive: true, force: true })
    publish('destroy', name)
  }

  const publish = (action: string, name: string) =>
    needs.events.publish({ type: 'volume', action, actorId: name, attributes: { driver: 'local' } })

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
      const users = needs.usersOf(name)
      if (users.length > 0) {
        throw volumeError('volume.in_use', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
          hint: 'Remove these containers first; a volume is never taken from under one.',
        })
      }
      await remove(name)
    },
    prune: async ({ all, keep }) => {
      const deleted: string[] = []
      let reclaimedBytes = 0
      for (const volume of [...volumes.values()]) {
        using _turn = await locks.acquire(volume.name)
        const isCandidate =
          (all || volume.isAnonymous) && !keep(volume) && volumes.has(volume.name) && needs.usersOf(volume.name).length === 0
        if (!isCandidate) continue
        reclaimedBytes += await directoryBytes(volume.mountpoint)
        await remove(volume.name)
        deleted.push(volume.name)
      }
      return { deleted, reclaimedBytes }
    },
    recover: async () => await sweep(home, volumes),
  }
}

/** Directories without a record are what a crash left of a removal or of a creation: nobody was told of them. They are set aside, never deleted blindly. */
async function sweep(home: string, volumes: ReadonlyMap<string, VolumeRecord>): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o711 })
  for (const entry of await readdir(home)) {
    if (volumes.has(entry) || entry.startsWith('.orphan-')) continue
    await rename(join(home, entry), join(home, `.orphan-${entry}`)).catch(() => undefined)
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

function refuseUnsupported(options: Parameters<Volumes['create']>[0]): void {
  if (options.name !== null && !NAME.test(options.name)) {
    throw volumeError(
      'volume.name_invalid',
      `create ${JSON.stringify(options.name)}: a volume's name has letters, digits, _ . and -, and starts with a letter or digit`,
      {
        hint: 'To mount a directory of the host, write its absolute path.',
      },
    )
  }
  if (options.driver !== '' && options.driver !== 'local') {
    throw volumeError(
      'volume.driver_unknown',
      `create volume: driver ${JSON.stringify(options.driver)} is not known; there is "local"`,
    )
  }
  const [option] = Object.keys(options.driverOptions)
  if (option !== undefined)
    throw volumeError(
      'volume.option_unsupported',
      `create volume: option ${JSON.stringify(option)} of the local driver is not supported`,
    )
}
