import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import type { HeldFiles } from '#engine/containers'
import { decompressed, sniff } from '#engine/content'
import { formatTimeNs } from '#engine/logs'
import { containerCapabilities } from '#engine/runtime/spec'
import { bytesOfText, packTar } from '#oci/tar'

import { commitContainer } from './commit.ts'
import { startConfined, type Confined } from './confined.ts'
import { baseName, containerPath } from './container-path.ts'
import { archiveError } from './errors.ts'
import { membersOfFrames } from './frame-members.ts'
import { decodeStat, FRAME, type StatFrame } from './frames.ts'
import { goFileMode } from './go-mode.ts'
import { idleGuard } from './idle.ts'
import type { ArchivesNeeds } from './needs.ts'
import { containerOwner } from './owner.ts'
import type { Archives, PathStat } from './port.ts'
import { tarFrames, type EntryPolicy } from './tar-frames.ts'

export function createArchives(needs: ArchivesNeeds): Archives {
  const { containers } = needs
  return {
    stat: async (ref, path) =>
      await containers.holdFiles(ref, async (files) => {
        const asked = containerPath(path)
        using confined = startConfined(needs, files, { verb: 'stat', path: asked })
        return await receiveStat(confined, asked)
      }),
    get: async (ref, path) => {
      const opened = Promise.withResolvers<Awaited<ReturnType<Archives['get']>>>()
      // The files are held until the archive has been read; only the part before that is waited for here.
      containers
        .holdFiles(ref, async (files) => await read(needs, files, containerPath(path), opened.resolve))
        .catch(opened.reject)
      return await opened.promise
    },
    put: async (ref, path, tar, options) =>
      await containers.holdFiles(ref, async (files) => await write(needs, files, containerPath(path), tar, options)),
    commit: async (ref, request) => await commitContainer(needs, ref, request),
  }
}

async function receiveStat(confined: Confined, path: string): Promise<PathStat> {
  const { type, payload } = await confined.next()
  if (type !== FRAME.stat) throw archiveError('archive.failed', `the confined program sent ${type} in place of a stat`)
  return pathStat(path, decodeStat(payload))
}

/** What RFC 3339 can write: the years 1 to 9999. */
const FIRST_S = -62_135_596_800n
const LAST_S = 253_402_300_799n

function pathStat(path: string, { mode, sizeBytes, mtimeS, mtimeNs, linkTarget }: StatFrame): PathStat {
  const seconds = mtimeS < FIRST_S ? FIRST_S : mtimeS > LAST_S ? LAST_S : mtimeS
  // Before 1970 the fraction would have to be counted down.
  const modifiedAt = formatTimeNs(seconds * 1_000_000_000n + (seconds < 0n ? 0n : BigInt(mtimeNs)))
  return { name: baseName(path), sizeBytes, mode: goFileMode(mode), modifiedAt, linkTarget }
}

async function read(
  needs: ArchivesNeeds,
  files: HeldFiles,
  path: string,
  opened: (archive: Awaited<ReturnType<Archives['get']>>) => void,
): Promise<void> {
  using confined = startConfined(needs, files, { verb: 'get', path })
  const stat = await receiveStat(confined, path)
  const content = new PassThrough()
  using guard = idleGuard(needs.clock, files, (error) => content.destroy(error))
  opened({ stat, content })
  publish(needs, files, 'archive-path', path)
  const next = async () => {
    guard.touch()
    return await confined.next()
  }
  const members = membersOfFrames(next, bytesOfText(stat.name))
  // Whoever reads has been told by the stream.
  await pipeline(Readable.from(packTar(members), { objectMode: false }), content).catch(() => undefined)
}

async function write(
  needs: ArchivesNeeds,
  files: HeldFiles,
  path: string,
  tar: Readable,
  options: Parameters<Archives['put']>[3],
): Promise<void> {
  const owner = options.copyUidGid ? await containerOwner(needs, files) : null
  const policy: EntryPolicy = { owner, mayMakeDevices: mayMakeDevices(needs, files) }
  using confined = startConfined(needs, files, { verb: 'put', path, keepsKinds: options.noOverwriteDirNonDir })
  using guard = idleGuard(needs.clock, files, (error) => tar.destroy(error))
  const verdict = confined.nextWhenever().then(
    () => null,
    (error: unknown) => ({ error }),
  )
  let isOver = false
  void verdict.then(() => (isOver = true))
  // A failure is to be told to whoever sends: destroying its stream would cut that connection.
  const { compression, source } = await sniff(tar.iterator({ destroyOnReturn: false }), 'the archive')
  for await (const frame of tarFrames(decompressed(source, compression, 'the archive'), policy)) {
    guard.touch()
    if (isOver) break
    await confined.send(frame)
  }
  const failure = await confined.within(verdict)
  if (failure !== null) throw failure.error
  publish(needs, files, 'extract-to-dir', path)
}

function mayMakeDevices({ host }: ArchivesNeeds, { record }: HeldFiles): boolean {
  return containerCapabilities(record.spec.security, host.kernel.facts().capabilities).includes('CAP_MKNOD')
}

function publish({ events }: ArchivesNeeds, { record }: HeldFiles, action: string, path: string): void {
  const attributes = { ...record.spec.labels, image: record.spec.image, name: record.name, path }
  events.publish({ type: 'container', action, actorId: record.id, attributes })
}
