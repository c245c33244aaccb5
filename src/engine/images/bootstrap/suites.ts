import { DEFAULT_TAG, familiarText, parseReference, withDefaultTag, type ImageReference } from '#oci/reference'

import { imageError } from '../errors.ts'

/** What is to be made, out of which parts of Debian's archive. */
export interface DebianBase {
  readonly reference: ImageReference
  /** As the archive calls it: `bookworm`, `sid`, `stable`. */
  readonly suite: string
  /** Documentation, manual pages and translations left out. */
  readonly isSlim: boolean
  readonly hasUpdates: boolean
  readonly hasSecurity: boolean
}

/** Releases whose packages are on every mirror today. Numbers are those of their releases. */
const RELEASES: Readonly<Record<string, string>> = {
  bullseye: 'bullseye',
  '11': 'bullseye',
  bookworm: 'bookworm',
  '12': 'bookworm',
  trixie: 'trixie',
  '13': 'trixie',
  forky: 'forky',
  testing: 'testing',
  stable: 'stable',
  oldstable: 'oldstable',
  sid: 'sid',
  unstable: 'sid',
  [DEFAULT_TAG]: 'stable',
}
const SLIM = '-slim'

/** Error: `image.bootstrap_unknown`. */
export function readDebianBase(ref: string): DebianBase {
  const reference = withDefaultTag(parseReference(ref))
  const tag = reference.tag ?? ''
  const isSlim = tag.endsWith(SLIM)
  const name = isSlim ? tag.slice(0, -SLIM.length) : tag
  const isDebian = reference.registry === 'docker.io' && reference.path === 'library/debian' && reference.digest === null
  const suite = isDebian && Object.hasOwn(RELEASES, name) ? RELEASES[name] : undefined
  if (suite === undefined)
    throw imageError('image.bootstrap_unknown', `cannot make ${familiarText(reference)} out of packages`, {
      hint: 'Bootstrap knows debian:bookworm, debian:trixie, debian:sid, debian:stable and the like, each also with -slim. Load other images from an archive.',
    })
  const isRelease = suite !== 'sid'
  return { reference, suite, isSlim, hasUpdates: isRelease, hasSecurity: isRelease }
}

/** A part of the archive that the packages come from. */
export interface Source {
  readonly uri: string
  readonly suite: string
}

export interface Mirrors {
  readonly archive: string
  readonly security: string
}

/** Names that work everywhere; over plain http because the image has no certificates, and apt checks signatures itself. */
export const PUBLIC_MIRRORS: Mirrors = {
  archive: 'http://deb.debian.org/debian',
  security: 'http://deb.debian.org/debian-security',
}

export function sourcesOf(base: DebianBase, mirrors: Mirrors): readonly Source[] {
  return [
    { uri: mirrors.archive, suite: base.suite },
    ...(base.hasUpdates ? [{ uri: mirrors.archive, suite: `${base.suite}-updates` }] : []),
    ...(base.hasSecurity ? [{ uri: mirrors.security, suite: `${base.suite}-security` }] : []),
  ]
}

/** Reads lines of `URI SUITE COMPONENT`, what this machine's own apt uses. Places that are not Debian's are passed over. */
export function readMirrors(text: string): Mirrors {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  const find = (isSecurity: boolean) =>
    lines.find(
      ([uri = '', suite = '', component]) =>
        component === 'main' &&
        /^https?:\/\/[^\s/]+\/(?:[^\s]*\/)?debian(?:-security)?\/?$/.test(uri) &&
        suite.endsWith('-security') === isSecurity,
    )?.[0]
  return {
    archive: find(false)?.replace(/\/$/, '') ?? PUBLIC_MIRRORS.archive,
    security: find(true)?.replace(/\/$/, '') ?? PUBLIC_MIRRORS.security,
  }
}

/** The `Date` of a Release file (Debian's repository format), in seconds. Undefined when it has none. */
export function releaseDateS(release: string): number | undefined {
  const text = /^Date: (.+)$/m.exec(release)?.[1]
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000)
}
