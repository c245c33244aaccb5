import { fail, formatBytes, parseBytes, parseDurationMs } from '#base'

import { collectionError } from './errors.ts'
import type { CollectionPolicy, DiskShare, DiskSpace } from './port.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const GIB = 1024 ** 3

export const DEFAULT_POLICY: CollectionPolicy = {
  isOn: true,
  unusedMs: 7 * DAY_MS,
  untaggedMs: DAY_MS,
  cacheMs: 7 * DAY_MS,
  // On a large disk a tenth is no shortage yet: 20 GiB hold any single image and its build.
  minFree: { percent: 10, bytes: 20 * GIB },
  targetFree: { percent: 20, bytes: 40 * GIB },
  keepNewest: 1,
  protectedNames: [],
}

/** More patterns than this are no list that somebody wrote. */
const MAX_PROTECTED = 1000
const PATTERN = /^[a-zA-Z0-9*][a-zA-Z0-9*_.:/@-]{0,254}$/

type Change = (policy: CollectionPolicy, value: string, what: string) => CollectionPolicy

const SETTINGS: Readonly<Record<string, Change>> = {
  unused: (policy, value, what) => ({ ...policy, unusedMs: readAge(value, what) }),
  untagged: (policy, value, what) => ({ ...policy, untaggedMs: readAge(value, what) }),
  cache: (policy, value, what) => ({ ...policy, cacheMs: readAge(value, what) }),
  'min-free': (policy, value, what) => ({ ...policy, minFree: readShare(value, what) }),
  'target-free': (policy, value, what) => ({ ...policy, targetFree: readShare(value, what) }),
  keep: (policy, value, what) => ({ ...policy, keepNewest: readCount(value, what) }),
  protect: (policy, value, what) => ({ ...policy, protectedNames: [...policy.protectedNames, readPattern(value, what)] }),
}

/**
 * Reads what the daemon was told: `on`, `off`, or settings that differ from the defaults, such as `unused=30d,min-free=5%,protect=debian:*`.
 * Errors: `collection.policy_invalid`.
 */
export function readPolicy(text: string): CollectionPolicy {
  if (text === 'on' || text === '') return DEFAULT_POLICY
  if (text === 'off') return { ...DEFAULT_POLICY, isOn: false }
  let policy = DEFAULT_POLICY
  const seen = new Set<string>()
  for (const part of text.split(',')) {
    const mark = part.indexOf('=')
    const key = mark === -1 ? part : part.slice(0, mark)
    const change = Object.hasOwn(SETTINGS, key) ? SETTINGS[key] : undefined
    const what = `gc ${key}`
    if (change === undefined || mark === -1)
      throw invalid(`gc: ${JSON.stringify(part)} is not one of on, off, ${Object.keys(SETTINGS).join('=, ')}=`)
    if (seen.has(key) && key !== 'protect') throw invalid(`${what} is given twice`)
    seen.add(key)
    policy = change(policy, part.slice(mark + 1), what)
  }
  if (policy.protectedNames.length > MAX_PROTECTED) throw invalid(`gc: more than ${MAX_PROTECTED} protected names`)
  return checked(policy, seen)
}

/** One threshold alone draws the other along; both must make sense together. */
function checked(policy: CollectionPolicy, given: ReadonlySet<string>): CollectionPolicy {
  const { minFree, targetFree } = policy
  if (given.has('min-free') && !given.has('target-free')) return { ...policy, targetFree: doubled(minFree) }
  if (given.has('target-free') && !given.has('min-free')) return { ...policy, minFree: halved(targetFree) }
  const isLess = (a: number | null, b: number | null) => a !== null && b !== null && a < b
  if (isLess(targetFree.percent, minFree.percent) || isLess(targetFree.bytes, minFree.bytes))
    throw invalid(`gc target-free (${shareText(targetFree)}) is less than min-free (${shareText(minFree)})`)
  return policy
}

function doubled({ percent, bytes }: DiskShare): DiskShare {
  return { percent: percent === null ? null : Math.min(100, percent * 2), bytes: bytes === null ? null : bytes * 2 }
}

function halved({ percent, bytes }: DiskShare): DiskShare {
  return { percent: percent === null ? null : percent / 2, bytes: bytes === null ? null : Math.floor(bytes / 2) }
}

function readAge(value: string, what: string): number | null {
  if (value === 'never') return null
  const days = /^(\d{1,5})d$/.exec(value)
  if (days?.[1] !== undefined) return Number(days[1]) * DAY_MS
  return reading(what, 'Write a time such as 7d or 36h, or `never`.', () => parseDurationMs(value, what))
}

function readShare(value: string, what: string): DiskShare {
  const percent = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(value)
  if (percent?.[1] !== undefined) {
    if (Number(percent[1]) > 100) throw invalid(`${what}: ${value} is more than the whole disk`)
    return { percent: Number(percent[1]), bytes: null }
  }
  return {
    percent: null,
    bytes: reading(what, 'Write a share such as 10% or a size such as 20g.', () => parseBytes(value, what)),
  }
}

function readCount(value: string, what: string): number {
  if (!/^\d{1,4}$/.test(value)) throw invalid(`${what}: ${JSON.stringify(value)} is not a number of images`)
  return Number(value)
}

function readPattern(value: string, what: string): string {
  if (!PATTERN.test(value)) throw invalid(`${what}: ${JSON.stringify(value)} is not a name of images`)
  return value
}

function reading<T>(what: string, hint: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw collectionError('collection.policy_invalid', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
      hint,
    })
  }
}

function invalid(message: string): Error {
  return collectionError('collection.policy_invalid', message, {
    hint: 'For example: --gc unused=14d,min-free=5%,protect=debian:*, or --gc off.',
  })
}

export function shareBytes({ percent, bytes }: DiskShare, disk: Pick<DiskSpace, 'totalBytes'>): number {
  const share = percent === null ? Infinity : (disk.totalBytes * percent) / 100
  const least = Math.min(share, bytes ?? Infinity)
  if (!Number.isFinite(least)) throw fail('invariant.broken', 'a share of a disk that says neither percent nor bytes')
  return Math.floor(least)
}

/** `after 7 days unused, ...`: the policy on one line. */
export function policyText(policy: CollectionPolicy): string {
  if (!policy.isOn) return 'off'
  const age = (what: string, ms: number | null) => (ms === null ? [] : [`${what} after ${ageText(ms)}`])
  return [
    ...age('unused images', policy.unusedMs),
    ...age('untagged images', policy.untaggedMs),
    ...age('build results', policy.cacheMs),
    `the longest unused when less than ${shareText(policy.minFree)} of the disk is free, until ${shareText(policy.targetFree)} is`,
    ...(policy.keepNewest === 0
      ? []
      : [`the newest ${policy.keepNewest === 1 ? 'one' : policy.keepNewest} of each repository made here stay`]),
    ...(policy.protectedNames.length === 0 ? [] : [`${policy.protectedNames.join(', ')} stay`]),
  ].join('; ')
}

export function ageText(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`
  if (ms >= 2 * HOUR_MS) return `${Math.floor(ms / HOUR_MS)} hours`
  if (ms >= 120_000) return `${Math.floor(ms / 60_000)} minutes`
  return `${Math.floor(ms / 1000)} s`
}

function shareText({ percent, bytes }: DiskShare): string {
  if (percent === null) return formatBytes(bytes ?? 0)
  return bytes === null ? `${percent} %` : `${percent} % (at most ${formatBytes(bytes)})`
}
