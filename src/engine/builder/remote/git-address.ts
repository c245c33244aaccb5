import type { GloveboxError } from '#base'
import { cleanPath } from '#oci/patterns'

import type { GitSource } from './port.ts'

/** Not to be taken for the beginning of a module's name. */
const FRAGMENT = '\x23'

/** `user@host:path`, as scp has it; no scheme, and no slash before the colon. */
const SCP = /^[a-zA-Z0-9_.-]+@[a-zA-Z0-9_.-]+:(?!\/\/)[^:]/
const SCHEME = /^(https?|git|ssh):\/\//i

/** An address over HTTP is one of git only when its path ends with `.git`. */
export function isGitAddress(text: string): boolean {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return SCP.test(text)
  if (scheme === 'git' || scheme === 'ssh') return true
  return URL.parse(text)?.pathname.replace(/\/$/, '').endsWith('.git') === true
}

export interface GitRefusals {
  readonly invalid: (why: string, hint?: string) => GloveboxError
  readonly unsupported: (why: string, hint?: string) => GloveboxError
}

interface GitFlags {
  readonly checksum: string | undefined
  readonly keepsGitDirectory: boolean
}

/** `remote#ref:subdir`, or `remote?ref=…&subdir=…`; flags of ADD win over the query where they say something. */
export function gitSource(text: string, flags: GitFlags, refusals: GitRefusals): GitSource {
  const { invalid } = refusals
  const [address, fragment] = splitAt(text, FRAGMENT)
  const [remote, queryText] = splitAt(address, '?')
  const query = readQuery(queryText, invalid)
  const [fragmentRef, fragmentSubdir] = splitAt(fragment, ':')
  const transport = transportOf(remote, refusals)
  const checksum = flags.checksum ?? query.get('checksum') ?? query.get('commit')
  const ref = agreed(
    'ref',
    [fragmentRef, query.get('ref'), prefixed('refs/tags/', query.get('tag')), prefixed('refs/heads/', query.get('branch'))],
    invalid,
  )
  const subdir = agreed('subdir', [fragmentSubdir, query.get('subdir')], invalid)
  const commitPrefix = checksum === undefined ? undefined : commitOf(checksum, invalid)
  const isWhole = commitPrefix !== undefined && commitPrefix.length >= 40
  const keepsGitDirectory = flags.keepsGitDirectory || truth(query.get('keep-git-dir'), false, 'keep-git-dir', invalid)
  const source: GitSource = {
    kind: 'git',
    remote,
    transport,
    ref: ref === '' ? (isWhole ? commitPrefix : undefined) : checkedRef(ref, invalid),
    subdir: checkedSubdir(subdir, invalid),
    commitPrefix,
    keepsGitDirectory,
    hasSubmodules: truth(query.get('submodules'), true, 'submodules', invalid),
  }
  if (keepsGitDirectory && source.subdir !== '')
    throw invalid(
      'the git directory belongs to the whole tree and not to a part of it',
      'Leave the sub-directory or --keep-git-dir out.',
    )
  return source
}

function splitAt(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

type Invalid = GitRefusals['invalid']

const HOST = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?$|^\[[0-9a-fA-F:.]+\]$/
const USER = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$/

function transportOf(remote: string, { invalid, unsupported }: GitRefusals): GitSource['transport'] {
  // eslint-disable-next-line no-control-regex -- these are what must not stand in an address
  if (/[\0-\x20\x7f"'`\\]/.test(remote)) throw invalid('the address holds a character that none may hold')
  if (!SCHEME.test(remote)) return checkedHost(/^([^@]+)@([^:]+):/.exec(remote) ?? [], invalid)
  const url = URL.parse(remote)
  if (url === null || url.hostname === '') throw invalid('this is no address')
  if (url.protocol === 'git:')
    throw unsupported(
      'git:// proves neither who answers nor that nothing was changed on the way, and is not supported',
      'Use https:// or ssh://.',
    )
  if (url.password !== '' || (url.username !== '' && url.protocol !== 'ssh:'))
    throw invalid(
      'an address with a password would stay in the history of the image',
      'Give a secret with the id GIT_AUTH_TOKEN instead.',
    )
  if (url.protocol === 'ssh:') return checkedHost(['', url.username === '' ? 'git' : url.username, url.hostname], invalid)
  return url.protocol === 'http:' ? 'http' : 'https'
}

/** Both become words of ssh's, which takes a leading dash for an option. */
function checkedHost([, user = '', host = '']: readonly string[], invalid: Invalid): 'ssh' {
  if (USER.test(user) && HOST.test(host)) return 'ssh'
  throw invalid(`${JSON.stringify(`${user}@${host}`)} is no user and host`)
}

const KNOWN: ReadonlySet<string> = new Set('ref tag branch subdir checksum commit keep-git-dir submodules'.split(' '))

function readQuery(text: string, invalid: Invalid): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (!KNOWN.has(name)) throw invalid(`the query ${JSON.stringify(name)} is not known`, `Known: ${[...KNOWN].join(', ')}.`)
    if (found.has(name)) throw invalid(`the query ${name} is given twice`)
    if (value === '' && name !== 'submodules' && name !== 'keep-git-dir') throw invalid(`the query ${name} has no value`)
    found.set(name, value)
  }
  return found
}

function prefixed(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name.startsWith(prefix) ? name : `${prefix}${name}`
}

function agreed(what: string, values: readonly (string | undefined)[], invalid: Invalid): string {
  const [value = '', other] = [...new Set(values.filter((one) => one !== undefined && one !== ''))]
  if (other !== undefined)
    throw invalid(`it names the ${what} ${JSON.stringify(value)} and ${JSON.stringify(other)}`, 'Keep one of the two.')
  return value
}

function truth(value: string | undefined, fallback: boolean, name: string, invalid: Invalid): boolean {
  if (value === undefined) return fallback
  if (/^(?:|1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw invalid(`${name}=${value} is neither true nor false`)
}

/** As `git check-ref-format` has it, with no leading dash: nothing of it can be an option or a pattern. */
function checkedRef(ref: string, invalid: Invalid): string {
  const isName = /^[a-zA-Z0-9_@][a-zA-Z0-9_./@+=,%#-]*$/.test(ref)
  if (isName && ref.length <= 255 && !/\.\.|\/\/|@\{|\.lock(?:\/|$)|[/.]$|\/\./.test(ref)) return ref
  throw invalid(`${JSON.stringify(ref.slice(0, 100))} is no branch, tag or commit`)
}

function checkedSubdir(subdir: string, invalid: Invalid): string {
  if (subdir.split('/').includes('..'))
    throw invalid(`the sub-directory ${JSON.stringify(subdir.slice(0, 100))} leads out of the tree`)
  const path = cleanPath(`/${subdir}`).slice(1)
  if (path.includes('\0') || path.length > 4096) throw invalid('the sub-directory is no path')
  return path
}

function commitOf(checksum: string, invalid: Invalid): string {
  if (/^(?:[0-9a-f]{7,40}|[0-9a-f]{64})$/i.test(checksum)) return checksum.toLowerCase()
  throw invalid(
    `--checksum=${JSON.stringify(checksum.slice(0, 80))} is not the beginning of a commit`,
    'Write at least seven of its digits.',
  )
}
