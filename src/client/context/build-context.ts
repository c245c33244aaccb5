import { createReadStream } from 'node:fs'
import { readFile, readlink, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { messageOf, systemCodeOf } from '#base'
import { ignoreRules, parseIgnoreFile } from '#oci/patterns'
import { pack, type Pack } from 'tar-stream'

import { type ContextEntry, walkContext } from './walk.ts'
import { clientError } from '../errors.ts'

export interface BuildContext {
  /** A tar, made while it is read: memory stays at one chunk. Errors of the disk end it as stream errors. */
  readonly tar: Readable
  /** Where the Dockerfile lies in the tar: the `dockerfile` parameter of the build call. */
  readonly dockerfile: string
}

/** The name under which a Dockerfile from outside of the context travels. */
const OUTSIDE_DOCKERFILE = '.dockerfile.from-outside'
/** Nobody writes a Dockerfile of this size by hand. */
const MAX_DOCKERFILE_BYTES = 16 * 1024 * 1024

/**
 * Packs a directory for the build call: what `.dockerignore` (or `NAME.dockerignore` beside the Dockerfile, which wins) leaves in, with modes
 * and links as they are, owned by root. The Dockerfile and the ignore file are always in. Errors: `client.bad_context`.
 */
export async function buildContext(directory: string, dockerfile?: string): Promise<BuildContext> {
  const root = resolve(directory)
  if (!(await isDirectory(root))) throw clientError('client.bad_context', `the build context ${root} is not a directory`)
  const file = dockerfile === undefined ? join(root, 'Dockerfile') : resolve(dockerfile)
  const inside = relative(root, file)
  const isOutside = inside.startsWith('..') || isAbsolute(inside)
  const outsideText = await readDockerfile(file)
  const rules = ignoreRules(parseIgnoreFile(await ignoreText(root, file)))
  const tar = pack()
  const entries = walkContext(root, rules, (path) => path === inside || path === '.dockerignore')
  void fill(tar, root, entries, isOutside ? outsideText : null).catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  return { tar: Readable.from(tar, { objectMode: false }), dockerfile: isOutside ? OUTSIDE_DOCKERFILE : inside }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

async function readDockerfile(file: string): Promise<Buffer> {
  try {
    const text = await readFile(file)
    if (text.length <= MAX_DOCKERFILE_BYTES) return text
  } catch (error) {
    throw clientError('client.bad_context', `cannot read the Dockerfile ${file}: ${systemCodeOf(error) ?? messageOf(error)}`, {
      cause: error,
      hint: 'Name another with --file.',
    })
  }
  throw clientError('client.bad_context', `the Dockerfile ${file} is larger than ${MAX_DOCKERFILE_BYTES} bytes`)
}

async function ignoreText(root: string, dockerfile: string): Promise<string> {
  for (const path of [`${dockerfile}.dockerignore`, join(root, '.dockerignore')]) {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT')
        throw clientError('client.bad_context', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  return ''
}

async function fill(tar: Pack, root: string, entries: AsyncIterable<ContextEntry>, outside: Buffer | null): Promise<void> {
  for await (const entry of entries) await add(tar, root, entry)
  if (outside !== null) tar.entry({ name: OUTSIDE_DOCKERFILE, mode: 0o644 }, outside)
  tar.finalize()
}

async function add(tar: Pack, root: string, { path, stats }: ContextEntry): Promise<void> {
  const header = { name: path, mode: stats.mode & 0o7777, mtime: stats.mtime, uid: 0, gid: 0 }
  if (stats.isDirectory()) return void tar.entry({ ...header, type: 'directory' })
  if (stats.isSymbolicLink()) return void tar.entry({ ...header, type: 'symlink', linkname: await readlink(join(root, path)) })
  if (!stats.isFile())
    throw clientError('client.bad_context', `${join(root, path)} is a device or a pipe, which cannot go into a build context`, {
      hint: 'Name it in .dockerignore.',
    })
  const sink = tar.entry({ ...header, type: 'file', size: stats.size })
  if (stats.size === 0) return void sink.end(null)
  try {
    // Not beyond the size that the header promised: a log that grows meanwhile must not break the archive.
    await pipeline(createReadStream(join(root, path), { end: stats.size - 1 }), sink)
  } catch (error) {
    throw clientError('client.bad_context', `read ${join(root, path)}: ${messageOf(error)}`, { cause: error })
  }
}
