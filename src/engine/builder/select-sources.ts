import { createHash } from 'node:crypto'

import { compileGlob, hasWildcard, ignoreRules, insideRoot, type IgnoreRules } from '#oci/patterns'
import { bytesOfText, textOfBytes, type ByteString } from '#oci/tar'

import { buildError } from './errors.ts'
import { baseName, joinPath, parentPath, type FileTree, type TreeEntry } from './file-tree.ts'
import { MAX_TREE_DEPTH } from './limits.ts'
import { resolvePath } from './resolve-path.ts'

/** Something that COPY takes: a file, or a directory with all that is in it. */
export interface SelectedSource {
  /** As named by the user, for a file that lands in a directory. */
  readonly name: ByteString
  readonly tree: FileTree
  readonly entry: TreeEntry
  readonly path: ByteString
  /** What a directory holds, parents before children. */
  readonly inside: readonly SelectedItem[]
}

export interface SelectedItem {
  /** Below the directory. */
  readonly relative: ByteString
  readonly path: ByteString
  readonly entry: TreeEntry
}

/** Which files a step takes. */
export interface SourceSelection {
  /** Paths and globs, as expanded. */
  readonly sources: readonly string[]
  /** What is left out: paths below a directory, or the name of a file, by patterns of ignore files. */
  readonly excludes: readonly string[]
  /** Directories above a source come along, from the root of the tree or from where `/./` stands in the source. */
  readonly keepsParents: boolean
}

/**
 * Finds what the sources of COPY name. `..` stops at the tree's root, links are followed inside it, wildcards do not cross a slash.
 * A literal source must be there, and one source at least must match. Throws `build.copy_failed`.
 */
export async function selectSources(tree: FileTree, selection: SourceSelection): Promise<readonly SelectedSource[]> {
  const { sources, keepsParents } = selection
  const excluded = ignoreRules(selection.excludes)
  const selected: SelectedSource[] = []
  for (const source of sources) {
    if (keepsParents) selected.push(...(await selectWithParents(tree, source, excluded)))
    else for (const path of await matchesOf(tree, source)) selected.push(...(await selectOne(tree, path, source, excluded)))
  }
  if (selected.length > 0 || sources.length === 0) return selected
  throw buildError('build.copy_failed', `no file matches ${sources.map((source) => JSON.stringify(source)).join(', ')}`, {
    hint: 'Check the paths, relative to the context, and .dockerignore.',
  })
}

/** Depends on names, types, modes, link targets and content; on owners only when they are kept; never on times. */
export async function contentDigest(selected: readonly SelectedSource[], keepsOwners: boolean): Promise<string> {
  const hash = createHash('sha256')
  const add = async (tree: FileTree, path: ByteString, name: ByteString, entry: TreeEntry): Promise<void> => {
    const owner = keepsOwners ? `${entry.uid}:${entry.gid}` : ''
    const content = entry.type === 'file' ? (tree.sha256(path) ?? (await digestOfContent(tree, path))) : entry.linkname
    const xattrs = entry.xattrs.map((xattr) => [xattr.name, xattr.value.toString('hex')])
    hash.update(`${JSON.stringify([name, entry.type, entry.mode, owner, content, xattrs])}\n`)
  }
  for (const source of selected) {
    await add(source.tree, source.path, source.name, source.entry)
    for (const item of source.inside) await add(source.tree, item.path, item.relative, item.entry)
  }
  return hash.digest('hex')
}

async function digestOfContent(tree: FileTree, path: ByteString): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of tree.read(path)) hash.update(chunk)
  return hash.digest('hex')
}

async function selectOne(
  tree: FileTree,
  path: ByteString,
  source: string,
  excluded: IgnoreRules,
): Promise<readonly SelectedSource[]> {
  const found = await resolvePath(tree, path, true)
  if (found.entry === undefined) throw missing(source)
  const { entry } = found
  const name = baseName(path)
  if (entry.type !== 'directory')
    return excluded.isIgnored(textOfBytes(name)) ? [] : [{ name, tree, entry, path: found.path, inside: [] }]
  const inside = await itemsIn(tree, found.path, excluded)
  return [{ name, tree, entry, path: found.path, inside }]
}

/** One source: the directory from which parents count, with what matches below it and the directories on the way there. */
async function selectWithParents(tree: FileTree, source: string, excluded: IgnoreRules): Promise<readonly SelectedSource[]> {
  const [before = '', ...after] = source.split('/./')
  const [pivot, pattern] = after.length === 0 ? ['', before] : [before, after.join('/./')]
  const { path, entry } = await resolvePath(tree, bytesOfText(insideRoot(pivot)), true)
  if (entry?.type !== 'directory') throw missing(source)
  const glob = compileGlob(insideRoot(pattern), { hasDoubleStar: true })
  const items = await itemsIn(tree, path, excluded)
  const isWhole = glob.pattern === ''
  const matched = items.filter(({ relative }) => isWhole || glob.matchesOrContains(textOfBytes(relative)))
  if (matched.length === 0 && !hasWildcard(pattern) && !isWhole) throw missing(source)
  const above = new Set(matched.flatMap(({ relative }) => parentsOf(relative)))
  const taken = new Set(matched)
  const inside = items.filter((item) => taken.has(item) || above.has(item.relative))
  return inside.length === 0 ? [] : [{ name: baseName(path), tree, entry, path, inside }]
}

function parentsOf(relative: ByteString): ByteString[] {
  const parents: ByteString[] = []
  for (let at = parentPath(relative); at !== ''; at = parentPath(at)) parents.push(at)
  return parents
}

function missing(source: string) {
  return buildError('build.copy_failed', `${JSON.stringify(source)} is not there`, {
    hint: 'Check the path, relative to the context, and .dockerignore.',
  })
}

/** All below a directory that is not excluded; a directory stays when something in it does. */
async function itemsIn(tree: FileTree, path: ByteString, excluded: IgnoreRules): Promise<readonly SelectedItem[]> {
  const all: SelectedItem[] = []
  await walk(tree, path, '' as ByteString, all, 0)
  const kept = new Set<ByteString>()
  for (const { relative } of all) {
    if (excluded.isIgnored(textOfBytes(relative))) continue
    for (const above of [relative, ...parentsOf(relative)]) kept.add(above)
  }
  return all.filter(({ relative }) => kept.has(relative))
}

async function walk(tree: FileTree, path: ByteString, relative: ByteString, into: SelectedItem[], depth: number): Promise<void> {
  if (depth > MAX_TREE_DEPTH)
    throw buildError('build.copy_failed', `the directory ${textOfBytes(path).slice(0, 200)}… is too deep`)
  for (const name of await tree.list(path)) {
    const at = joinPath(path, name)
    const entry = await tree.lstat(at)
    if (entry === undefined) continue
    const below = joinPath(relative, name)
    into.push({ relative: below, path: at, entry })
    if (entry.type === 'directory') await walk(tree, at, below, into, depth + 1)
  }
}

/** Paths that a source names: itself, or for a glob whatever matches it, component by component. */
async function matchesOf(tree: FileTree, source: string): Promise<readonly ByteString[]> {
  const path = insideRoot(source)
  if (!hasWildcard(path)) return [bytesOfText(path)]
  let found: ByteString[] = ['' as ByteString]
  for (const component of path.split('/')) found = await step(tree, found, component)
  return found
}

async function step(tree: FileTree, from: readonly ByteString[], component: string): Promise<ByteString[]> {
  const glob = compileGlob(component, { hasDoubleStar: false })
  const found: ByteString[] = []
  for (const path of from) {
    const { path: directory, entry } = await resolvePath(tree, path, true)
    if (entry?.type !== 'directory') continue
    for (const name of await tree.list(directory)) if (glob.matches(textOfBytes(name))) found.push(joinPath(path, name))
  }
  return found
}
