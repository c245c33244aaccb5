import { createHash } from 'node:crypto'

import type { CertificateBundle, CertificateState } from '#traffic/certificates'

import type { Entry } from './entries.ts'

/** Certificates as the proxy has them: files by their path, and for each entry the lines of its list. */
export interface CertificateFiles {
  readonly pems: ReadonlyMap<string, string>
  readonly lists: ReadonlyMap<string, readonly CertificateLine[]>
}

export interface CertificateLine {
  readonly path: string
  /** As it stands in the list: path, options in brackets, and the hosts that it is shown for. */
  readonly text: string
}

export const NO_CERTIFICATES: CertificateFiles = { pems: new Map(), lists: new Map() }

/** Pure. The first of a list is shown to whoever asks for a host that has none. */
export function certificateFiles(lists: ReadonlyMap<string, Entry>, state: CertificateState): CertificateFiles {
  const pems = new Map<string, string>()
  const use = (bundle: CertificateBundle): string => {
    const path = `certificates/${bundle.id}.pem`
    pems.set(path, bundle.pem)
    return path
  }
  const lines = [...lists].map(([list, entry]) => {
    const found = new Map<string, CertificateLine>()
    const fallback = use(state.fallback)
    found.set(fallback, { path: fallback, text: fallback })
    for (const { routeId, rule } of entry.uses) {
      const bundle = state.byRoute.get(routeId)
      if (bundle === undefined) continue
      const path = use(bundle)
      const options = rule.tls?.minVersion === '1.3' ? ['[ssl-min-ver TLSv1.3]'] : []
      found.set(path, { path, text: [path, ...options, ...bundle.hosts].join(' ') })
    }
    return [list, [...found.values()]] as const
  })
  return { pems, lists: new Map(lines) }
}

export interface CertificateChange {
  /** Each is sent by itself: with what belongs to it on further lines. */
  readonly commands: readonly string[]
  /** A list says something else of a certificate that it has: there is no command for that without a moment in which it is missing. */
  readonly needsReload: boolean
}

/** Commands that lead from one state of the certificates to another, without a reload. Pure. `told`: only hashes of the keys are remembered. */
export function certificateCommands(wanted: CertificateFiles, told: ToldCertificates): CertificateChange {
  const fresh = [...wanted.pems].filter(([path, pem]) => told.pems.get(path) !== hashOf(pem))
  const stored = fresh.flatMap(([path, pem]) => [
    ...(told.pems.has(path) ? [] : [`new ssl cert ${path}`]),
    `set ssl cert ${path} <<\n${pem.replaceAll(/\n+/g, '\n').trim()}\n`,
    `commit ssl cert ${path}`,
  ])
  const changes = [...wanted.lists].map(([list, lines]) => listChange(list, lines, told.lists.get(list) ?? []))
  const unused = [...told.pems.keys()].filter((path) => !wanted.pems.has(path)).map((path) => `del ssl cert ${path}`)
  return {
    commands: [...stored, ...changes.flatMap((change) => change.commands), ...unused],
    needsReload: changes.some((change) => change.needsReload) || [...told.lists.keys()].some((list) => !wanted.lists.has(list)),
  }
}

export interface ToldCertificates {
  readonly pems: ReadonlyMap<string, string>
  readonly lists: ReadonlyMap<string, readonly CertificateLine[]>
}

export function toldOf({ pems, lists }: CertificateFiles): ToldCertificates {
  return { pems: new Map([...pems].map(([path, pem]) => [path, hashOf(pem)])), lists }
}

function listChange(list: string, lines: readonly CertificateLine[], before: readonly CertificateLine[]): CertificateChange {
  const old = new Map(before.map((line) => [line.path, line.text]))
  const added = lines.filter((line) => !old.has(line.path)).map((line) => `add ssl crt-list ${list} <<\n${line.text}\n`)
  const gone = before
    .filter((line) => !lines.some(({ path }) => path === line.path))
    .map((line) => `del ssl crt-list ${list} ${line.path}`)
  return { commands: [...added, ...gone], needsReload: lines.some((line) => (old.get(line.path) ?? line.text) !== line.text) }
}

function hashOf(pem: string): string {
  return createHash('sha256').update(pem).digest('hex')
}
