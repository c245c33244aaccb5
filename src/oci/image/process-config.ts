import { invalidConfig } from './errors.ts'
import { isObject, type JsonObject } from './json.ts'
import { MAX_CONFIG_ENTRIES } from './limits.ts'

/** The part of an OCI image configuration that containers inherit (image-spec, config.md), names as we use them. */
export interface ImageProcessConfig {
  readonly user: string
  readonly exposedPorts: readonly string[]
  readonly env: readonly string[]
  readonly entrypoint: readonly string[] | null
  readonly cmd: readonly string[] | null
  readonly volumes: readonly string[]
  readonly workingDir: string
  readonly labels: Readonly<Record<string, string>>
  readonly stopSignal: string
  readonly shell: readonly string[] | null
  readonly onBuild: readonly string[]
  readonly healthcheck: ImageHealthcheck | null
}

/** Docker's addition to the specification. 0 milliseconds or retries: inherited. */
export interface ImageHealthcheck {
  readonly test: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly startPeriodMs: number
  readonly startIntervalMs: number
  readonly retries: number
}

const NS_PER_MS = 1_000_000

export function emptyProcessConfig(): ImageProcessConfig {
  return {
    user: '',
    exposedPorts: [],
    env: [],
    entrypoint: null,
    cmd: null,
    volumes: [],
    workingDir: '',
    labels: {},
    stopSignal: '',
    shell: null,
    onBuild: [],
    healthcheck: null,
  }
}

/** Reads the `config` member as Docker and the specification write it. Error: `image_config.invalid`. */
export function readProcessConfig(value: unknown, what: string): ImageProcessConfig {
  if (value === undefined || value === null) return emptyProcessConfig()
  if (!isObject(value)) throw invalidConfig(what, 'is not an object')
  return {
    user: text(value, 'User', what),
    exposedPorts: keys(value, 'ExposedPorts', what),
    env: words(value, 'Env', what) ?? [],
    entrypoint: words(value, 'Entrypoint', what),
    cmd: words(value, 'Cmd', what),
    volumes: keys(value, 'Volumes', what),
    workingDir: text(value, 'WorkingDir', what),
    labels: labels(value['Labels'], `${what}: Labels`),
    stopSignal: text(value, 'StopSignal', what),
    shell: words(value, 'Shell', what),
    onBuild: words(value, 'OnBuild', what) ?? [],
    healthcheck: healthcheck(value['Healthcheck'], `${what}: Healthcheck`),
  }
}

/** The `config` member in a fixed order, without what is empty. */
export function writeProcessConfig(config: ImageProcessConfig): JsonObject {
  const written: Record<string, unknown> = {}
  const put = (key: string, value: unknown, isEmpty: boolean) => {
    if (!isEmpty) written[key] = value
  }
  put('User', config.user, config.user === '')
  put('ExposedPorts', asSet(config.exposedPorts), config.exposedPorts.length === 0)
  put('Env', config.env, config.env.length === 0)
  put('Entrypoint', config.entrypoint, config.entrypoint === null)
  put('Cmd', config.cmd, config.cmd === null)
  put('Volumes', asSet(config.volumes), config.volumes.length === 0)
  put('WorkingDir', config.workingDir, config.workingDir === '')
  put('Labels', sortedByKey(config.labels), Object.keys(config.labels).length === 0)
  put('StopSignal', config.stopSignal, config.stopSignal === '')
  put('Shell', config.shell, config.shell === null)
  put('OnBuild', config.onBuild, config.onBuild.length === 0)
  if (config.healthcheck !== null) written['Healthcheck'] = writeHealthcheck(config.healthcheck)
  return written
}

function writeHealthcheck(check: ImageHealthcheck): JsonObject {
  const durations = {
    Interval: check.intervalMs,
    Timeout: check.timeoutMs,
    StartPeriod: check.startPeriodMs,
    StartInterval: check.startIntervalMs,
  }
  const written: Record<string, unknown> = { Test: check.test }
  for (const [key, ms] of Object.entries(durations)) if (ms !== 0) written[key] = Math.round(ms * NS_PER_MS)
  if (check.retries !== 0) written['Retries'] = check.retries
  return written
}

function healthcheck(value: unknown, what: string): ImageHealthcheck | null {
  if (value === undefined || value === null) return null
  if (!isObject(value)) throw invalidConfig(what, 'is not an object')
  const test = words(value, 'Test', what) ?? []
  if (test.length === 0) return null
  return {
    test,
    intervalMs: milliseconds(value, 'Interval', what),
    timeoutMs: milliseconds(value, 'Timeout', what),
    startPeriodMs: milliseconds(value, 'StartPeriod', what),
    startIntervalMs: milliseconds(value, 'StartInterval', what),
    retries: wholeNumber(value, 'Retries', what),
  }
}

function wholeNumber(value: JsonObject, key: string, what: string): number {
  const found = value[key] ?? 0
  if (typeof found !== 'number' || !Number.isInteger(found) || found < 0)
    throw invalidConfig(what, `${key} is ${shown(found)} and not a whole number`)
  return found
}

/** Written in nanoseconds. */
function milliseconds(value: JsonObject, key: string, what: string): number {
  return wholeNumber(value, key, what) / NS_PER_MS
}

function text(value: JsonObject, key: string, what: string): string {
  const found = value[key] ?? ''
  if (typeof found !== 'string') throw invalidConfig(what, `${key} is ${shown(found)} and not text`)
  return withoutNul(found, `${what}: ${key}`)
}

function words(value: JsonObject, key: string, what: string): readonly string[] | null {
  const found = value[key] ?? null
  if (found === null) return null
  if (!Array.isArray(found) || !found.every((word) => typeof word === 'string'))
    throw invalidConfig(what, `${key} is ${shown(found)} and not a list of texts`)
  if (found.length > MAX_CONFIG_ENTRIES)
    throw invalidConfig(what, `${key} has ${found.length} entries, more than ${MAX_CONFIG_ENTRIES}`)
  return found.map((word: string) => withoutNul(word, `${what}: ${key}`))
}

/** A set is written as an object of empty objects. Sorted, so that reading is deterministic. */
function keys(value: JsonObject, key: string, what: string): readonly string[] {
  const found = value[key] ?? {}
  if (!isObject(found)) throw invalidConfig(what, `${key} is ${shown(found)} and not an object`)
  const names = Object.keys(found)
  if (names.length > MAX_CONFIG_ENTRIES)
    throw invalidConfig(what, `${key} has ${names.length} entries, more than ${MAX_CONFIG_ENTRIES}`)
  return names.map((name) => withoutNul(name, `${what}: ${key}`)).toSorted()
}

function labels(value: unknown, what: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) throw invalidConfig(what, 'is not an object')
  const entries = Object.entries(value)
  if (entries.length > MAX_CONFIG_ENTRIES)
    throw invalidConfig(what, `has ${entries.length} entries, more than ${MAX_CONFIG_ENTRIES}`)
  for (const [key, label] of entries) if (typeof label !== 'string') throw invalidConfig(what, `${shown(key)} is not text`)
  return Object.fromEntries(entries) as Record<string, string>
}

/** No argument, variable or path can hold a NUL: the kernel would cut it there. */
function withoutNul(value: string, what: string): string {
  if (value.includes('\0')) throw invalidConfig(what, `${shown(value)} holds a NUL`)
  return value
}

function asSet(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.toSorted().map((name) => [name, {}]))
}

function sortedByKey(map: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100)
}
