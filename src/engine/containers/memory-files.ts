import { closeSync, existsSync, fchmodSync, fchownSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join, posix } from 'node:path'

import { during, systemCodeOf } from '#base'
import type { RuntimeMount } from '#oci/runtime-spec'

import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import { checkMemoryFiles } from './memory-file-plan.ts'
import { memoryDirOf, memoryRoot } from './paths.ts'
import type { MemoryFile } from './port.ts'
import type { ContainerRecord } from './record.ts'
import type { ContainerSpec, MemoryFileSpec } from './spec.ts'
import { isRemapped, letPass } from './user-namespace.ts'

type Place = Pick<Context, 'host' | 'runDir' | 'root' | 'instance' | 'remap'>

/** Of all containers together: it is memory that cannot be swapped out. Thousands of keys and certificates fit. */
const ROOM_BYTES = 512 * 1024 * 1024
/** Nobody but root looks in from outside. */
const DIRECTORY_MODE = 0o700
/** While it is written. */
const UNFINISHED_MODE = 0o600
const MOUNT_OPTIONS = ['bind', 'ro', 'rprivate', 'nosuid', 'nodev', 'noexec'] as const

/**
 * Writes the files of a container into memory: a tmpfs of ours in the daemon's mount namespace that is never swapped, so that no byte of them
 * reaches a disk. What was there of this container before goes. Errors: `container.memory_file_invalid`, `container.memory_files_full`.
 */
export function storeMemoryFiles(
  context: Place,
  id: string,
  spec: Pick<ContainerSpec, 'namespaces' | 'mounts'>,
  files: readonly MemoryFile[],
): void {
  checkMemoryFiles(files, spec.mounts)
  const owners = files.map((file) => ownerOnHost(context, spec, file))
  mountMemory(context)
  const directory = memoryDirOf(context, id)
  removeMemoryFiles(context, id)
  try {
    mkdirSync(directory, { mode: DIRECTORY_MODE })
    letPass(context, spec, memoryRoot(context), directory)
    for (const [number, file] of files.entries()) writeFile(join(directory, String(number)), file, owners[number] ?? file)
  } catch (error) {
    removeMemoryFiles(context, id)
    if (systemCodeOf(error) !== 'ENOSPC') throw during('store files in memory', error)
    throw containerError('container.memory_files_full', `files in memory: their ${ROOM_BYTES} bytes are full`, {
      cause: error,
      hint: 'Remove containers that have secrets or configs and are not needed any more.',
    })
  }
}

/** Gone already is fine. */
export function removeMemoryFiles(context: Place, id: string): void {
  rmSync(memoryDirOf(context, id), { recursive: true, force: true })
}

/** What makes them appear in the container. Error: `container.memory_files_lost`, after a restart of the machine. */
export function memoryMounts(context: Place, { id, name, spec }: ContainerRecord): readonly RuntimeMount[] {
  return (spec.memoryFiles ?? []).map(({ target }, number) => {
    const source = join(memoryDirOf(context, id), String(number))
    if (statSync(source, { throwIfNoEntry: false }) === undefined)
      throw containerError(
        'container.memory_files_lost',
        `container ${name}: its file ${target} was only in memory and is gone`,
        {
          hint: 'Files in memory do not outlive the machine or a stopped daemon: whoever made the container gives them again, or makes another one.',
        },
      )
    return { destination: target, type: 'bind', source, options: MOUNT_OPTIONS }
  })
}

export function hasMemoryFiles(context: Place, { id, spec }: ContainerRecord): boolean {
  return (spec.memoryFiles ?? []).every((_, number) => existsSync(join(memoryDirOf(context, id), String(number))))
}

/** The device by which files in memory are told from all others; undefined: there are none. */
export function memoryDevice(context: Place): number | undefined {
  return mountedDevice(memoryRoot(context), context.runDir)
}

function mountMemory(context: Place): void {
  const target = memoryRoot(context)
  if (mountedDevice(target, context.runDir) !== undefined) return
  mkdirSync(target, { recursive: true, mode: DIRECTORY_MODE })
  context.host.mounts.tmpfs({ target, sizeBytes: ROOM_BYTES, mode: DIRECTORY_MODE, isNeverSwapped: true })
}

/** Cheaper than the mount table: something is mounted where another device begins. */
function mountedDevice(path: string, parent: string): number | undefined {
  const device = statSync(path, { throwIfNoEntry: false })?.dev
  return device === statSync(parent, { throwIfNoEntry: false })?.dev ? undefined : device
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** The users of the container may be others on the host. */
function ownerOnHost(context: Place, spec: Pick<ContainerSpec, 'namespaces'>, { target, uid, gid }: MemoryFileSpec): Owner {
  if (context.remap === undefined || !isRemapped(context, spec)) return { uid, gid }
  const owner = context.remap.ownerOnHost({ uid, gid })
  if (owner !== undefined) return owner
  throw containerError(
    'container.memory_file_invalid',
    `the file ${target}: the container's users and groups are remapped, and ${uid}:${gid} is none of them`,
    { hint: 'Give it an owner within the range in /etc/subuid and /etc/subgid.' },
  )
}

function writeFile(path: string, { content, mode }: MemoryFile, { uid, gid }: Owner): void {
  const fd = openSync(path, 'wx', UNFINISHED_MODE)
  try {
    for (let at = 0; at < content.length;) at += writeSync(fd, content, at)
    fchownSync(fd, uid, gid)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

/** Those that are handed over for a container that exists must be the ones that it was made with. */
export function sameTargets(known: readonly MemoryFileSpec[], given: readonly MemoryFileSpec[]): boolean {
  const targets = (files: readonly MemoryFileSpec[]) => files.map(({ target }) => posix.normalize(target)).join('\0')
  return targets(known) === targets(given)
}
