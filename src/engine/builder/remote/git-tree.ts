import { createHash, hash } from 'node:crypto'

import { bytesOfBuffer, bytesOfText, EMPTY_BYTES, textOfBytes, type ByteString, type TarEntry } from '#oci/tar'

import { buildError } from '../errors.ts'
import type { Spool } from '../spool.ts'
import { MAX_REMOTE_BYTES, MAX_TREE_FILES } from './limits.ts'
import type { GitLink } from './git-modules.ts'
import type { GitSource } from './port.ts'
import type { Git } from './run-git.ts'

interface ListedObject {
  readonly mode: string
  readonly object: string
  readonly sizeBytes: number
  readonly path: ByteString
}

const MODES: Readonly<Record<string, { readonly type: 'file' | 'directory' | 'symlink'; readonly mode: number }>> = {
  '100644': { type: 'file', mode: 0o644 },
  // As git once wrote it.
  '100664': { type: 'file', mode: 0o644 },
  '100755': { type: 'file', mode: 0o755 },
  '120000': { type: 'symlink', mode: 0o777 },
  '040000': { type: 'directory', mode: 0o755 },
}

/**
 * The files of a commit, straight from its objects: nothing is checked out, so that neither attributes, filters nor links of the repository
 * have anything to work on. Errors: `build.remote_failed`, `build.remote_invalid`.
 */
export async function readTree(git: Git, source: GitSource, commit: string, into: Spool) {
  const tree = `${commit}:${source.subdir}`
  const listing = await git.run(['ls-tree', '-r', '-t', '-z', '-l', '--full-tree', tree])
  const { objects, links } = listed(listing, source, into)
  const mtimeS = Number((await git.run(['show', '--no-patch', '--format=%ct', commit])).toString('latin1').trim())
  const bodies = await readBodies(git, objects, source, into)
  return {
    entries: objects.map((object) => entryOf(object, bodies, mtimeS)),
    links,
    mtimeS,
    sha256Of: (entry: TarEntry) => bodies.sha256At(entry),
  }
}

interface Listed {
  readonly objects: readonly ListedObject[]
  readonly links: readonly GitLink[]
}

function listed(listing: Buffer, source: GitSource, into: Pick<Spool, 'sizeBytes'>): Listed {
  const objects: ListedObject[] = []
  const links: GitLink[] = []
  for (let at = 0; at < listing.length;) {
    const end = listing.indexOf(0, at)
    const tab = listing.indexOf(9, at)
    const [mode = '', , object = '', size = ''] = listing.toString('latin1', at, tab).split(/ +/)
    const path = bytesOfBuffer(listing.subarray(tab + 1, end))
    checkPath(path, source)
    if (mode === '160000') links.push({ path, commit: object })
    else if (MODES[mode] === undefined) throw broken(source, `${textOfBytes(path)} has the mode ${mode}`)
    else objects.push({ mode, object, sizeBytes: Number(size) || 0, path })
    if (objects.length + links.length > MAX_TREE_FILES) throw broken(source, `it has more than ${MAX_TREE_FILES} files`)
    at = end + 1
  }
  const total = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, into.sizeBytes)
  if (total > MAX_REMOTE_BYTES)
    throw buildError('build.context_too_large', `${source.remote} has more than ${MAX_REMOTE_BYTES} bytes`)
  return { objects, links }
}

function broken(source: GitSource, why: string) {
  return buildError('build.remote_invalid', `the repository ${source.remote} cannot be taken: ${why.slice(0, 300)}`)
}

/** Names that git itself checks out nowhere. */
function checkPath(path: ByteString, source: GitSource): void {
  for (const part of path.split('/'))
    if (part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')
      throw broken(source, `it holds the path ${JSON.stringify(textOfBytes(path))}`)
}

interface Bodies {
  readonly at: ReadonlyMap<string, { readonly offset: number; readonly content: Buffer | undefined }>
  sha256At(entry: TarEntry): string
}

/** Links are read whole, files go to the spool. `cat-file --batch` answers in the order in which it is asked. */
async function readBodies(git: Git, objects: readonly ListedObject[], source: GitSource, into: Spool): Promise<Bodies> {
  const wanted = new Map(objects.filter(({ mode }) => mode !== '040000').map((one) => [one.object, one]))
  const questions = function* () {
    for (const object of wanted.keys()) yield Buffer.from(`${object}\n`)
  }
  const links = new Set(objects.filter(({ mode }) => mode === '120000').map(({ object }) => object))
  const at = new Map<string, { offset: number; content: Buffer | undefined }>()
  const digests = new Map<number, string>()
  const reader = batchReader(git.stream(['cat-file', '--batch', '--buffer'], questions()))
  for (const { object, sizeBytes } of wanted.values()) {
    const [name, type, size] = (await reader.line()).split(' ')
    if (name !== object || type !== 'blob' || Number(size) !== sizeBytes) throw broken(source, `the object ${object} is missing`)
    const offset = into.sizeBytes
    const digest = createHash('sha256')
    const kept: Buffer[] = []
    for await (const chunk of reader.take(sizeBytes)) {
      digest.update(chunk)
      if (links.has(object) && sizeBytes <= MAX_LINK_BYTES) kept.push(Buffer.from(chunk))
      await into.append(chunk)
    }
    await reader.line()
    digests.set(offset, digest.digest('hex'))
    at.set(object, { offset, content: links.has(object) ? Buffer.concat(kept) : undefined })
  }
  await reader.end()
  const empty = hash('sha256', '', 'hex')
  return { at, sha256At: ({ dataOffset, size }) => (size === 0 ? empty : (digests.get(dataOffset) ?? empty)) }
}

/** The longest target that Linux takes. */
const MAX_LINK_BYTES = 4096

function batchReader(chunks: AsyncGenerator<Buffer>) {
  let rest: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const next = await chunks.next()
    if (next.done === true) return false
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value])
    return true
  }
  return {
    line: async (): Promise<string> => {
      for (;;) {
        const end = rest.indexOf(10)
        if (end >= 0) {
          const text = rest.toString('latin1', 0, end)
          rest = rest.subarray(end + 1)
          return text
        }
        if (!(await more())) return ''
      }
    },
    take: async function* (bytes: number): AsyncGenerator<Buffer> {
      for (let left = bytes; left > 0;) {
        if (rest.length === 0 && !(await more())) return
        const part = rest.subarray(0, left)
        rest = rest.subarray(part.length)
        left -= part.length
        yield part
      }
    },
    end: async (): Promise<void> => {
      while (await more()) rest = Buffer.alloc(0)
    },
  }
}

function entryOf({ mode, object, sizeBytes, path }: ListedObject, bodies: Bodies, mtimeS: number): TarEntry {
  const { type, mode: bits } = MODES[mode] ?? { type: 'file', mode: 0o644 }
  const body = bodies.at.get(object)
  return treeEntry(path, {
    type,
    mode: bits,
    mtimeS,
    size: type === 'file' ? sizeBytes : 0,
    linkname: type === 'symlink' && body?.content !== undefined ? bytesOfBuffer(body.content) : EMPTY_BYTES,
    dataOffset: body?.offset ?? 0,
  })
}

export function treeEntry(
  path: ByteString | string,
  of: Pick<TarEntry, 'type' | 'mode' | 'mtimeS' | 'size' | 'linkname' | 'dataOffset'>,
): TarEntry {
  return {
    path: typeof path === 'string' ? bytesOfText(path) : path,
    uid: 0,
    gid: 0,
    mtimeNs: 0,
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
    headerOffset: 0,
    ...of,
  }
}
