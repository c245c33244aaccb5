import { fail } from '#base'
import type { IdRange, UserMapping } from '#host'

/** The files that say whose ids may be handed on: passwd(5), group(5), subuid(5), subgid(5). */
export interface SubordinateFiles {
  readonly passwd: string
  readonly group: string
  readonly subuid: string
  readonly subgid: string
}

/** The name that Docker uses for what is called `default`. */
const DEFAULT_USER = 'dockremap'
/** What a container needs to have every id that images use. */
const DEFAULT_COUNT = 65_536
/** Below are the ids of real users. */
const FIRST_ID = 100_000

/**
 * The mapping for `default`, `USER`, `USER:GROUP`, by name or number: ids inside count from 0 over all the ranges that are theirs.
 * Errors: `input.invalid` with what is missing.
 */
export function readUserRemap(text: string, files: SubordinateFiles): UserMapping {
  const [userText = '', groupText = userText] = text === 'default' ? [DEFAULT_USER] : text.split(':', 2)
  if (userText === '' || groupText === '')
    throw fail('input.invalid', `--userns-remap ${JSON.stringify(text)}: give default, USER or USER:GROUP`)
  const user = accountOf(userText, files.passwd, text === 'default')
  const group = accountOf(groupText, groupText === userText ? files.passwd : files.group, text === 'default')
  return {
    uids: rangesOf(user, files.subuid, '/etc/subuid', 'user'),
    gids: rangesOf(group, files.subgid, '/etc/subgid', 'group'),
  }
}

interface Account {
  readonly name: string
  readonly id: string
}

/** The name to a number and the other way round. `isFree`: one that need not exist, as only its ranges count. */
function accountOf(text: string, database: string, isFree: boolean): Account {
  const rows = database.split('\n').map((line) => line.split(':'))
  const row = rows.find(([name]) => name === text) ?? rows.find(([, , id]) => /^\d+$/.test(text) && id === text)
  if (row !== undefined) return { name: row[0] ?? '', id: row[2] ?? '' }
  if (isFree) return { name: text, id: '' }
  throw fail('input.invalid', `--userns-remap: there is no user or group ${JSON.stringify(text)} on this host`)
}

function rangesOf({ name, id }: Account, text: string, path: string, what: string): readonly IdRange[] {
  const owned = parse(text).filter(({ owner }) => owner === name || (id !== '' && owner === id))
  if (owned.length === 0)
    throw fail('input.invalid', `--userns-remap: ${path} has no range for the ${what} ${name}`, {
      hint: `Add a line such as ${name}:${FIRST_ID}:${DEFAULT_COUNT}.`,
    })
  let insideId = 0
  return owned
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, count }) => {
      const range = { insideId, outsideId: start, count }
      insideId += count
      return range
    })
}

interface Row {
  readonly owner: string
  readonly start: number
  readonly count: number
}

/** Ids have 32 bits; what reaches beyond is no range. */
const MAX_ID = 2 ** 32 - 2

function parse(text: string): readonly Row[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([^:#]+):(\d{1,10}):(\d{1,10})$/.exec(line.trim())
    if (match === null) return []
    const row = { owner: match[1] ?? '', start: Number(match[2]), count: Number(match[3]) }
    return row.count > 0 && row.start > 0 && row.start + row.count - 1 <= MAX_ID ? [row] : []
  })
}

/** The line that gives `default` ids of its own, behind all others; undefined when it has some. */
export function missingDefaultLine(text: string): string | undefined {
  const rows = parse(text)
  if (rows.some(({ owner }) => owner === DEFAULT_USER)) return undefined
  const start = rows.reduce((end, row) => Math.max(end, row.start + row.count), FIRST_ID)
  return `${DEFAULT_USER}:${start}:${DEFAULT_COUNT}\n`
}
