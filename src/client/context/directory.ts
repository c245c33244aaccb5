import { hash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'

import type { WireContextEntry } from '#api/glovebox'
import { type Clock, messageOf, systemCodeOf } from '#base'
import { ignoreRules, parseIgnoreFile } from '#oci/patterns'

import { clientError } from '../errors.ts'
import { readListed } from './read-file.ts'
import { scanTreeInTurns } from './scan.ts'
import { OWN_FILES, type SourceFiles } from './source-files.ts'
import type { BuildSource, SourceDockerfile } from './source.ts'

/** The name under which a Dockerfile from outside of the context travels. */
export const OUTSIDE_DOCKERFILE = '.dockerfile.from-outside'
/** Nobody writes a Dockerfile of this size by hand. */
const MAX_DOCKERFILE_BYTES = 4 * 1024 * 1024

/** A path, or the text itself: from the standard input or a Compose file. */
export type DockerfileChoice = { readonly path: string } | { readonly text: string; readonly shown: string }

/**
 * A directory as a build context: what `.dockerignore` leaves in, or `NAME.dockerignore` beside the Dockerfile, which wins. A Dockerfile from
 * elsewhere travels along and is seen by no COPY. Errors: `client.bad_context`.
 */
export async function directorySource(
  directory: string,
  dockerfile: DockerfileChoice | undefined,
  clock: Pick<Clock, 'nowMs'>,
  files: SourceFiles = OWN_FILES,
): Promise<BuildSource> {
  const root = await directoryAt(resolve(directory))
  const chosen = await chooseDockerfile(root, dockerfile ?? { path: join(root, 'Dockerfile') }, files)
  const ignored = chosen.ignoreText ?? (await textOrNull(join(root, '.dockerignore'), files)) ?? ''
  const rules = ignoreRules(parseIgnoreFile(ignored))
  const isAlwaysIn = (path: string) =>
    path === '.dockerignore' || (!chosen.isOutside && (path === chosen.path || path === `${chosen.path}.dockerignore`))
  const outside = chosen.isOutside ? outsideFiles(chosen.text, ignored) : new Map<string, Buffer>()
  return {
    // Two machines may show the daemon the same path.
    key: `${hostname()}:${root}`,
    dockerfile: { path: chosen.path, shown: chosen.shown, text: chosen.text },
    list: async () => {
      const entries = await scanTreeInTurns(root, { rules, isAlwaysIn, nowMs: clock.nowMs(), files })
      if (outside.size === 0) return entries
      const added = [...outside].map(([path, bytes]) => memoryEntry(path, bytes))
      return [...entries.filter(([path]) => !outside.has(path)), ...added]
    },
    read: (entry) => {
      const bytes = outside.get(entry[0])
      return bytes === undefined ? readListed(root, entry, files) : [bytes]
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** The Dockerfile from outside, and an ignore file of its own, which hides both: the last rule decides. */
function outsideFiles(dockerfile: string, ignored: string): Map<string, Buffer> {
  const own = `${OUTSIDE_DOCKERFILE}.dockerignore`
  return new Map([
    [OUTSIDE_DOCKERFILE, Buffer.from(dockerfile)],
    [own, Buffer.from(`${ignored}\n${OUTSIDE_DOCKERFILE}\n${own}\n`)],
  ])
}

/** A file that is nowhere but in memory; its content is its signature. */
export function memoryEntry(path: string, bytes: Buffer): WireContextEntry {
  return [path, 'file', 0o644, bytes.length, 0, `sha256:${hash('sha256', bytes, 'hex')}`, '']
}

interface Chosen extends SourceDockerfile {
  readonly isOutside: boolean
  /** Of the ignore file beside it. */
  readonly ignoreText: string | null
}

async function chooseDockerfile(root: string, choice: DockerfileChoice, files: SourceFiles): Promise<Chosen> {
  if ('text' in choice)
    return { path: OUTSIDE_DOCKERFILE, shown: choice.shown, text: choice.text, isOutside: true, ignoreText: null }
  const file = resolve(choice.path)
  const text = await dockerfileText(file, files)
  // Where it really is, when its directory is reached through a link.
  const inside = relative(root, await withoutLinksAbove(file))
  const isOutside = inside.startsWith('..') || isAbsolute(inside)
  const ignoreText = await textOrNull(`${file}.dockerignore`, files)
  return { path: isOutside ? OUTSIDE_DOCKERFILE : inside, shown: isOutside ? file : inside, text, isOutside, ignoreText }
}

async function directoryAt(path: string): Promise<string> {
  try {
    const real = await realpath(path)
    if ((await stat(real)).isDirectory()) return real
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? ''))
      throw clientError('client.bad_context', `look at the build context ${path}: ${messageOf(error)}`, { cause: error })
  }
  throw clientError('client.bad_context', `the build context ${path} is not a directory`)
}

async function dockerfileText(file: string, files: SourceFiles): Promise<string> {
  try {
    const bytes = await readFile(files.at(await withoutLinksAbove(file)))
    if (bytes.length <= MAX_DOCKERFILE_BYTES) return bytes.toString('utf8')
  } catch (error) {
    throw clientError('client.bad_context', `cannot read the Dockerfile ${file}: ${systemCodeOf(error) ?? messageOf(error)}`, {
      cause: error,
      hint: 'Name another with --file.',
    })
  }
  throw clientError('client.bad_context', `the Dockerfile ${file} is larger than ${MAX_DOCKERFILE_BYTES} bytes`)
}

async function textOrNull(path: string, files: SourceFiles): Promise<string | null> {
  try {
    return await readFile(files.at(await withoutLinksAbove(path)), 'utf8')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null
    throw clientError('client.bad_context', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** Where a file really is: its directory may be reached through a link. */
async function withoutLinksAbove(file: string): Promise<string> {
  return join(await realpath(dirname(file)), basename(file))
}
