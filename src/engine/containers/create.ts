import { mkdirSync, rmSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'

import { during, newId, systemCodeOf, type ContainerId } from '#base'
import { formatTimeNs } from '#engine/logs'

import type { Context } from './context.ts'
import { DEFAULT_LOG, withDefaultLog } from './default-log.ts'
import { containerError } from './errors.ts'
import { newLive } from './live.ts'
import { removeMemoryFiles, storeMemoryFiles } from './memory-files.ts'
import { randomName, readName } from './names.ts'
import { homeOf } from './paths.ts'
import type { MemoryFile } from './port.ts'
import type { ContainerRecord, ContainerStatus, ResolvedMount } from './record.ts'
import type { ContainerSpec, MountSpec } from './spec.ts'
import { anonymousVolumes, forgetUnclaimed, noteUnclaimed } from './unclaimed-volumes.ts'
import { giveToContainerRoot, refuseWithRemap } from './user-namespace.ts'
import { fillVolume } from './volume-content.ts'

export const NOT_STARTED: ContainerStatus = {
  state: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  isOomKilled: false,
  startedAt: '',
  finishedAt: '',
  restartCount: 0,
  isManuallyStopped: false,
  health: null,
  endpoints: {},
  ports: [],
}

/** Makes the record of a container and what it needs on disk. Nothing of it is visible until all is there. */
export async function createContainer(
  context: Context,
  asked: ContainerSpec,
  wantedName: string | null,
  memoryFiles: readonly MemoryFile[] = [],
): Promise<{ id: ContainerId; warnings: readonly string[] }> {
  const spec = {
    ...asked,
    log: withDefaultLog(context.defaultLog?.() ?? DEFAULT_LOG, asked.log),
    ...(memoryFiles.length === 0 ? {} : { memoryFiles: memoryFiles.map(({ content: _content, ...file }) => file) }),
  }
  if (commandOf(spec).length === 0) {
    throw containerError('container.no_command', 'No command specified', {
      hint: 'Give one after the image, or set CMD or ENTRYPOINT in the image.',
    })
  }
  refuseWithRemap(context, spec)
  const id = newId<ContainerId>(context.random)
  const name =
    wantedName === null || wantedName === ''
      ? randomName(context.random, (candidate) => context.registry.isNameTaken(candidate))
      : readName(wantedName)
  await using undo = new AsyncDisposableStack()
  undo.use(context.registry.reserveName(name, id))
  const volumes = new AsyncDisposableStack()
  undo.use(volumes)
  const mounts = await resolveMounts(context, spec, volumes)
  const home = homeOf(context, id)
  undo.defer(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(home, { recursive: true, mode: 0o710 })
  if (memoryFiles.length > 0) {
    undo.defer(() => removeMemoryFiles(context, id))
    storeMemoryFiles(context, id, spec, memoryFiles)
  }
  const record: ContainerRecord = { id, name, createdAt: formatTimeNs(context.clock.nowNs()), spec, status: NOT_STARTED, mounts }
  // While volumes were made the image may have been removed, by somebody who was told that no container uses it.
  context.images.get(spec.imageId)
  const anonymous = anonymousVolumes(context, mounts)
  if (anonymous.length === 0) context.registry.add(newLive(record))
  else
    context.records.atomically(() => {
      context.registry.add(newLive(record))
      forgetUnclaimed(context, anonymous)
    })
  undo.move()
  publish(context, record, 'create')
  return { id, warnings: [] }
}

export function commandOf(spec: ContainerSpec): readonly string[] {
  return [...(spec.process.entrypoint ?? []), ...(spec.process.cmd ?? [])]
}

export function publish(
  context: Context,
  record: ContainerRecord,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  const attributes = { ...record.spec.labels, image: record.spec.image, name: record.name, ...extra }
  context.events.publish({ type: 'container', action, actorId: record.id, attributes })
}

async function resolveMounts(
  context: Context,
  spec: ContainerSpec,
  undo: AsyncDisposableStack,
): Promise<readonly ResolvedMount[]> {
  const mounts: ResolvedMount[] = []
  for (const mount of spec.mounts) mounts.push(await resolveMount(context, spec, mount, undo))
  return mounts
}

async function resolveMount(
  context: Context,
  spec: ContainerSpec,
  mount: MountSpec,
  undo: AsyncDisposableStack,
): Promise<ResolvedMount> {
  if (!isAbsolute(mount.target) || mount.target === '/') {
    throw containerError(
      'container.mount_invalid',
      `invalid mount config: mount path must be absolute and not the root: ${JSON.stringify(mount.target)}`,
    )
  }
  const shared = { target: mount.target, name: '', source: '', driver: '', propagation: '' }
  if (mount.type === 'tmpfs') return { ...shared, type: 'tmpfs', isReadOnly: false }
  if (mount.type === 'bind') {
    await checkBindSource(mount.source, mount.createSource)
    return { ...shared, type: 'bind', source: mount.source, isReadOnly: mount.isReadOnly, propagation: mount.propagation }
  }
  const isNew = mount.name === '' || !context.volumes.list().some((volume) => volume.name === mount.name)
  const volume = await context.volumes.create({
    name: mount.name === '' ? unclaimedName(context) : mount.name,
    driver: mount.driver,
    driverOptions: mount.driverOptions,
    labels: mount.labels,
    isAnonymous: mount.name === '',
  })
  if (isNew) undo.defer(async () => await context.volumes.remove(volume.name, { force: true }).catch(() => undefined))
  if (isNew) giveToContainerRoot(context, spec, volume.mountpoint)
  if (!mount.isNoCopy) await fillVolume(context, spec, volume, mount.target)
  return {
    ...shared,
    type: 'volume',
    name: volume.name,
    source: volume.mountpoint,
    driver: volume.driver,
    isReadOnly: mount.isReadOnly,
  }
}

/** Written down before the volume is made: until a record names it, it is nobody's. */
function unclaimedName(context: Context): string {
  const name = context.random.bytes(32).toString('hex')
  noteUnclaimed(context, [name])
  return name
}

async function checkBindSource(source: string, createSource: boolean): Promise<void> {
  if (!isAbsolute(source))
    throw containerError(
      'container.mount_invalid',
      `invalid mount config: bind source path must be absolute: ${JSON.stringify(source)}`,
    )
  try {
    await stat(source)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw during(`bind source ${source}`, error)
    if (!createSource) {
      throw containerError(
        'container.mount_invalid',
        `invalid mount config for type "bind": bind source path does not exist: ${source}`,
        {
          hint: 'Make the directory first, or use -v, which makes it.',
        },
      )
    }
    await mkdir(source, { recursive: true })
  }
}
