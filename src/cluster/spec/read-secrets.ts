import { posix } from 'node:path'

import type { ReadContext } from './context.ts'
import { type Field, withoutNulls } from './fields.ts'
import { hostPath } from './paths.ts'
import type { KeyedSecretSpec, SecretMountSpec, ValueSource } from './secret-model.ts'

export type SecretKind = 'secret' | 'config'

/** A top-level secret or config, and where its value comes from; null: it is there already. */
export interface ReadSecret {
  readonly spec: KeyedSecretSpec
  readonly source: ValueSource | null
}

const SOURCES = ['file', 'environment', 'content', 'external'] as const
const REASONS = {
  driver: 'values of secrets come from files and variables',
  driver_opts: 'values of secrets come from files and variables',
  template_driver: 'values are handed on as they are; variables of the file are filled in already',
}

export function readSecret(kind: SecretKind, key: string, item: Field, stackName: string): ReadSecret {
  const sources = kind === 'secret' ? SOURCES.filter((name) => name !== 'content') : SOURCES
  item.only(['name', 'labels', ...sources], REASONS)
  const external = readExternal(item)
  const given = sources.filter((name) => (name === 'external' ? external.isExternal : item.child(name).isPresent))
  if (given.length !== 1) item.refuse(`needs one of ${sources.map((name) => `"${name}"`).join(', ')}`)
  const name = external.name ?? (external.isExternal ? key : `${stackName}_${key}`)
  return {
    spec: { key, name, isExternal: external.isExternal, labels: withoutNulls(item.child('labels').pairs()) },
    source: sourceOf(item),
  }
}

/** `external: true`, or the older form with the name inside. */
export function readExternal(item: Field): { readonly isExternal: boolean; readonly name: string | null } {
  const external = item.child('external')
  const name = item.child('name').text()
  if (!external.isMapping()) return { isExternal: external.flag() ?? false, name }
  external.only(['name'])
  return { isExternal: true, name: external.child('name').text() ?? name }
}

function sourceOf(item: Field): ValueSource | null {
  const [file, variable, text] = (['file', 'environment', 'content'] as const).map((name) => item.child(name).text())
  if (typeof file === 'string') return { type: 'file', path: hostPath(item.child('file').origin, file) }
  if (typeof variable === 'string') {
    return { type: 'variable', name: variable, text: item.child('environment').origin.lookup(variable) ?? null }
  }
  return typeof text === 'string' ? { type: 'text', text } : null
}

/** Everybody inside may read it, as in the specification. */
const MODE = 0o444
const MAX_MODE = 0o7777
const MAX_ID = 4_294_967_294

/** `secrets` or `configs` of a service: a name, or what file it is to be. */
export function readGrants(kind: SecretKind, grants: Field, context: ReadContext): readonly SecretMountSpec[] {
  const known = kind === 'secret' ? context.secrets : context.configs
  const directory = kind === 'secret' ? '/run/secrets' : '/'
  const targets = new Set<string>()
  return grants.items().flatMap((item) => {
    const isLong = item.isMapping()
    if (isLong) item.only(['source', 'target', 'uid', 'gid', 'mode'])
    const secret = isLong ? item.child('source').text() : item.text()
    if (secret === null) return []
    if (!Object.hasOwn(known, secret)) {
      item.refuse(`${kind} "${secret}" is not declared under the top-level "${kind}s"`)
      return []
    }
    const source = known[secret]
    if (source?.type === 'variable' && source.text === null)
      item.refuse(`the variable ${source.name}, which is the ${kind} "${secret}", is not set`)
    const target = posix.resolve(directory, (isLong ? item.child('target').text() : null) ?? secret)
    if (targets.has(target)) item.refuse(`two ${kind}s have the same target ${target}`)
    targets.add(target)
    const number = (name: string, max: number) => (isLong ? item.child(name).whole({ max }) : null)
    const [uid, gid] = [number('uid', MAX_ID) ?? 0, number('gid', MAX_ID) ?? 0]
    return [{ secret, target, uid, gid, mode: isLong ? readMode(item.child('mode')) : MODE }]
  })
}

/** YAML's 0440 is octal; text is as well. */
function readMode(mode: Field): number {
  const text = typeof mode.value === 'string' ? mode.value : null
  if (text === null) return mode.whole({ max: MAX_MODE }) ?? MODE
  if (/^(0o?)?[0-7]{1,4}$/.test(text)) return Number.parseInt(text.replace(/^0o/, ''), 8)
  mode.refuse(`"mode" must be permission bits such as 0440, not ${JSON.stringify(text)}`)
  return MODE
}
