import { messageOf } from '#base'
import type { RuntimeSeccomp, RuntimeSyscall, RuntimeSyscallArgument } from '#oci/runtime-spec'

import { architecturesOf } from './architectures.ts'
import { specError } from './errors.ts'
import type { SpecHostFacts } from './input.ts'

type Json = Readonly<Record<string, unknown>>

/** Go's names, which profiles use for architectures, by Node's. */
const GO_NAMES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/**
 * A profile in the form that Docker's users write: that of the runtime specification, with `archMap` in place of architectures and with
 * rules that depend on capabilities, architecture or kernel (`includes`, `excludes`). What depends is decided here.
 */
export function readSeccompProfile(text: string, capabilities: readonly string[], host: SpecHostFacts): RuntimeSeccomp {
  const profile = parse(text)
  const rules = arrayIn(profile, 'syscalls')
  const scope = { capabilities, architecture: GO_NAMES[host.architecture] ?? host.architecture, release: host.release }
  const errno = profile['defaultErrnoRet']
  return {
    defaultAction: textIn(profile, 'defaultAction'),
    ...(errno === undefined ? {} : { defaultErrnoRet: numberIn(profile, 'defaultErrnoRet') }),
    ...architectures(profile, host),
    ...(profile['flags'] === undefined ? {} : { flags: arrayIn(profile, 'flags').map(String) }),
    ...(profile['listenerPath'] === undefined ? {} : { listenerPath: textIn(profile, 'listenerPath') }),
    ...(profile['listenerMetadata'] === undefined ? {} : { listenerMetadata: textIn(profile, 'listenerMetadata') }),
    syscalls: rules
      .map(objectOf)
      .filter((rule) => applies(rule, scope))
      .map(readRule),
  }
}

function parse(text: string): Json {
  try {
    return objectOf(JSON.parse(text))
  } catch (error) {
    throw specError('spec.invalid', `the seccomp profile cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'Give `default`, `unconfined`, or the JSON text of a profile.',
    })
  }
}

function architectures(profile: Json, host: SpecHostFacts): { readonly architectures?: readonly string[] } {
  if (profile['architectures'] !== undefined) return { architectures: arrayIn(profile, 'architectures').map(String) }
  const native = architecturesOf(host.architecture)[0]
  const entry = arrayIn(profile, 'archMap')
    .map(objectOf)
    .find((one) => one['architecture'] === native)
  if (entry === undefined || native === undefined) return {}
  return { architectures: [native, ...arrayIn(entry, 'subArchitectures').map(String)] }
}

interface Scope {
  readonly capabilities: readonly string[]
  readonly architecture: string
  readonly release: string
}

/** All that `includes` names must hold; of `excludes` nothing may. */
function applies(rule: Json, scope: Scope): boolean {
  const includes = objectOf(rule['includes'] ?? {})
  const excludes = objectOf(rule['excludes'] ?? {})
  const caps = (filter: Json) => arrayIn(filter, 'caps').map(String)
  const arches = (filter: Json) => arrayIn(filter, 'arches').map(String)
  const isKernel = (filter: Json) => isAtLeast(scope.release, textIn(filter, 'minKernel'))
  if (!caps(includes).every((name) => scope.capabilities.includes(name))) return false
  if (arches(includes).length > 0 && !arches(includes).includes(scope.architecture)) return false
  if (includes['minKernel'] !== undefined && !isKernel(includes)) return false
  if (caps(excludes).some((name) => scope.capabilities.includes(name))) return false
  if (arches(excludes).includes(scope.architecture)) return false
  return excludes['minKernel'] === undefined || !isKernel(excludes)
}

/** By the first two numbers of each. */
function isAtLeast(release: string, wanted: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number.parseFloat)
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number.parseFloat)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

function readRule(rule: Json): RuntimeSyscall {
  const names = rule['name'] === undefined ? arrayIn(rule, 'names').map(String) : [textIn(rule, 'name')]
  if (names.length === 0) throw specError('spec.invalid', `a rule of the seccomp profile names no call: ${JSON.stringify(rule)}`)
  const args = arrayIn(rule, 'args').map((argument) => readArgument(objectOf(argument)))
  return {
    names,
    action: textIn(rule, 'action'),
    ...(rule['errnoRet'] === undefined ? {} : { errnoRet: numberIn(rule, 'errnoRet') }),
    ...(args.length === 0 ? {} : { args }),
  }
}

function readArgument(argument: Json): RuntimeSyscallArgument {
  return {
    index: numberIn(argument, 'index'),
    op: textIn(argument, 'op'),
    value: numberIn(argument, 'value'),
    ...(argument['valueTwo'] === undefined ? {} : { valueTwo: numberIn(argument, 'valueTwo') }),
  }
}

function objectOf(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw specError('spec.invalid', `the seccomp profile has ${JSON.stringify(value)} where an object is expected`)
}

/** Absent and null are empty. */
function arrayIn(object: Json, name: string): readonly unknown[] {
  const value = object[name] ?? []
  if (Array.isArray(value)) return value
  throw specError('spec.invalid', `the seccomp profile's ${name} is ${JSON.stringify(value)}, not a list`)
}

function textIn(object: Json, name: string): string {
  const value = object[name]
  if (typeof value === 'string') return value
  throw specError('spec.invalid', `the seccomp profile's ${name} is ${JSON.stringify(value) ?? 'missing'}, not a text`)
}

function numberIn(object: Json, name: string): number {
  const value = object[name]
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw specError('spec.invalid', `the seccomp profile's ${name} is ${JSON.stringify(value) ?? 'missing'}, not a whole number`)
}
