import { bytesOfText } from '#oci/tar'

import { buildError } from './errors.ts'
import type { FileTree } from './file-tree.ts'
import { MAX_PASSWD_BYTES } from './limits.ts'
import { readSmallFile } from './resolve-path.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** 4294967295 is "no change" to chown(2), so that it names nobody. */
const MAX_ID = 4_294_967_294

/**
 * Who `user`, `user:group`, `1000` or `1000:1000` is in a root. A number alone is the group's number as well, a name alone brings the group
 * that passwd has for it. Throws `build.owner_unknown`.
 */
export async function resolveOwner(text: string, tree: FileTree): Promise<Owner> {
  const [user = '', group, ...more] = text.split(':')
  if (user === '' || group === '' || more.length > 0)
    throw buildError('build.owner_unknown', `${JSON.stringify(text)} is not an owner`, {
      hint: 'Write USER, USER:GROUP or numbers.',
    })
  const owner = numericId(user) ?? (await passwdEntry(user, tree))
  if (group === undefined) return typeof owner === 'number' ? { uid: owner, gid: owner } : owner
  const gid = numericId(group) ?? (await groupEntry(group, tree))
  return { uid: typeof owner === 'number' ? owner : owner.uid, gid }
}

function numericId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined
  const id = Number(text)
  if (id >= 0 && id <= MAX_ID) return id
  throw buildError('build.owner_unknown', `the id ${text} is not between 0 and ${MAX_ID}`)
}

async function passwdEntry(name: string, tree: FileTree): Promise<Owner> {
  const [, , uid, gid] = await databaseLine('etc/passwd', name, tree)
  return { uid: storedId(uid, 'etc/passwd', name), gid: storedId(gid, 'etc/passwd', name) }
}

async function groupEntry(name: string, tree: FileTree): Promise<number> {
  const [, , gid] = await databaseLine('etc/group', name, tree)
  return storedId(gid, 'etc/group', name)
}

async function databaseLine(path: string, name: string, tree: FileTree): Promise<readonly string[]> {
  const text = (await readSmallFile(tree, bytesOfText(path), MAX_PASSWD_BYTES))?.toString('utf8')
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${name}:`))
  if (line !== undefined) return line.split(':')
  throw buildError('build.owner_unknown', `${JSON.stringify(name)} is not in /${path} of the stage`, {
    hint: 'Create it in a RUN step before, or write its number.',
  })
}

function storedId(text: string | undefined, path: string, name: string): number {
  const id = text === undefined ? undefined : numericId(text)
  if (id === undefined) throw buildError('build.owner_unknown', `/${path} of the stage has no number for ${JSON.stringify(name)}`)
  return id
}
