import type { TreeEntryType } from './file-tree.ts'

/** New permission bits from old ones. */
export type ModeChange = (mode: number, type: TreeEntryType) => number

const WHO_BITS: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 }
const PERMISSION_BITS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 }
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/

/** Reads `755`, `0644`, `u=rwX,go=rX`; undefined when it is neither octal nor symbolic (chmod(1)). Without `ugo`, all are meant. */
export function parseMode(text: string): ModeChange | undefined {
  if (/^[0-7]{1,5}$/.test(text) && Number.parseInt(text, 8) <= 0o7777) {
    const fixed = Number.parseInt(text, 8)
    return () => fixed
  }
  const changes: ModeChange[] = []
  for (const clause of text.split(',')) {
    const match = CLAUSE.exec(clause)
    if (match === null) return undefined
    const who = match[1] === '' || match[1] === undefined ? 'a' : match[1]
    const mask = [...who].reduce((bits, letter) => bits | (WHO_BITS[letter] ?? 0), 0)
    for (const action of match[2]?.match(/[-+=][^-+=]*/g) ?? []) changes.push(actionChange(action, mask))
  }
  return (mode, type) => changes.reduce((bits, change) => change(bits, type), mode)
}

function actionChange(action: string, mask: number): ModeChange {
  const [operator = '', ...letters] = action
  return (mode, type) => {
    const bits = letters.reduce((sum, letter) => sum | bitsOf(letter, mode, type), 0) & mask
    if (operator === '+') return mode | bits
    if (operator === '-') return mode & ~bits
    // As chmod(1): `=` leaves setuid and setgid of directories alone unless they are named.
    const kept = type === 'directory' ? mode & 0o6000 : 0
    return (mode & ~(mask & 0o7777)) | bits | (kept & mask)
  }
}

function bitsOf(letter: string, mode: number, type: TreeEntryType): number {
  if (letter === 'X') return type === 'directory' || (mode & 0o111) !== 0 ? 0o111 : 0
  const shift = { u: 6, g: 3, o: 0 }[letter]
  if (shift === undefined) return PERMISSION_BITS[letter] ?? 0
  const copied = (mode >> shift) & 0o7
  return (copied << 6) | (copied << 3) | copied
}
