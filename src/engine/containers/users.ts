import { containerError } from './errors.ts'

export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  readonly additionalGids: readonly number[]
  /** Home directory; `/` when the image knows none. */
  readonly home: string
}

/** Numbers above this are not user ids: 4294967295 means "unchanged" to the kernel and larger ones wrap to root. */
const MAX_ID = 2_147_483_647

/**
 * Finds the user of `USER`/`--user` (`name`, `uid`, `name:group`, `uid:gid`) in the image's own passwd and group files, passwd(5) and group(5).
 * Errors: `container.user_unknown`.
 */
export function resolveUser(
  user: string,
  groups: readonly string[],
  files: { readonly passwd: string; readonly group: string },
): ResolvedUser {
  const passwd = rows(files.passwd, 7)
  const group = rows(files.group, 4)
  const [userText = '', groupText] = user.split(':', 2)
  const entry = findUser(userText === '' ? '0' : userText, passwd)
  const uid = entry?.uid ?? readId(userText === '' ? '0' : userText, 'user')
  if (uid === undefined)
    throw containerError('container.user_unknown', `unable to find user ${userText}: no matching entries in passwd file`)
  const gid = groupText === undefined || groupText === '' ? (entry?.gid ?? 0) : groupId(groupText, group)
  const own = entry === undefined || (groupText !== undefined && groupText !== '') ? [] : memberships(entry.name, group)
  const added = groups.map((name) => groupId(name, group))
  return { uid, gid, additionalGids: [...new Set([...own, ...added])].filter((id) => id !== gid), home: entry?.home ?? '/' }
}

function findUser(
  text: string,
  passwd: readonly (readonly string[])[],
): { name: string; uid: number; gid: number; home: string } | undefined {
  const row = passwd.find((fields) => fields[0] === text) ?? passwd.find((fields) => /^\d+$/.test(text) && fields[2] === text)
  if (row === undefined) return undefined
  const uid = readId(row[2] ?? '', 'user')
  const gid = readId(row[3] ?? '', 'group')
  if (uid === undefined || gid === undefined) return undefined
  return { name: row[0] ?? '', uid, gid, home: row[5] === undefined || row[5] === '' ? '/' : row[5] }
}

function groupId(text: string, group: readonly (readonly string[])[]): number {
  const row = group.find((fields) => fields[0] === text)
  const gid = readId(row?.[2] ?? text, 'group')
  if (gid === undefined)
    throw containerError('container.user_unknown', `unable to find group ${text}: no matching entries in group file`)
  return gid
}

function memberships(name: string, group: readonly (readonly string[])[]): number[] {
  return group
    .filter((fields) => (fields[3] ?? '').split(',').includes(name))
    .flatMap((fields) => readId(fields[2] ?? '', 'group') ?? [])
}

function readId(text: string, what: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined
  const id = Number(text)
  if (id > MAX_ID)
    throw containerError('container.user_unknown', `${what} id ${text}: uids and gids must be in range 0-${MAX_ID}`)
  return id
}

function rows(text: string, fields: number): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.includes(':') && !line.startsWith('#'))
    .map((line) => line.split(':', fields))
}
