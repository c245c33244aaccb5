import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { RuntimeSpec } from '#oci/runtime-spec'

import { INSTRUCTION_BYTES, MAX_INSTRUCTIONS } from './bpf.ts'
import { quickFilter } from './quick-filter.ts'

/**
 * Compiling the default seccomp profile costs crun two and a half times the rest of a container's start. But crun leaves what it has
 * compiled in its state directory, and takes such a filter instead of a profile: so each profile is compiled once, by the first
 * container that has it, and handed over ready from then on, in a form that the kernel loads quickly.
 */
export interface CompiledFilters {
  /** The same specification with the filter in place of the profile, or, if there is none yet, the key under which to learn it. */
  prepare(spec: RuntimeSpec): Promise<PreparedSpec>
  /** Takes the filter of a container that has just been started. Does nothing if the OCI runtime keeps none. */
  learn(key: string, id: string): Promise<void>
}

export interface PreparedSpec {
  readonly spec: RuntimeSpec
  readonly unknownKey: string | undefined
}

/** crun(1): base64 of the array of struct sock_filter. */
const FILTER_ANNOTATION = 'run.oci.seccomp_bpf_data'
/** Filters that were kept in another form are not these. */
const FORM = 'searched\n'
/** Profiles differ by the capabilities of containers: few in practice. Each takes some 13 KB. */
const MAX_FILTERS = 128

export function compiledFilters(options: {
  readonly stateRoot: string
  readonly filterDir: string | undefined
}): CompiledFilters {
  const filters = new Map<string, string>()

  const remember = (key: string, filter: Buffer): string => {
    const text = filter.toString('base64')
    const oldest = filters.keys().next()
    if (filters.size >= MAX_FILTERS && oldest.done !== true) filters.delete(oldest.value)
    filters.set(key, text)
    return text
  }
  const find = async (key: string): Promise<string | undefined> => {
    const known = filters.get(key)
    if (known !== undefined || options.filterDir === undefined) return known
    const kept = await readFilter(join(options.filterDir, key))
    return kept === undefined ? undefined : remember(key, kept)
  }
  return {
    prepare: async (spec) => {
      const key = keyOf(spec)
      if (key === undefined) return { spec, unknownKey: undefined }
      const filter = await find(key)
      return filter === undefined ? { spec, unknownKey: key } : { spec: withFilter(spec, filter), unknownKey: undefined }
    },
    learn: async (key, id) => {
      const compiled = await readFilter(join(options.stateRoot, id, 'seccomp.bpf'))
      if (compiled === undefined) return
      const filter = quickFilter(compiled)
      remember(key, filter)
      if (options.filterDir !== undefined) await keep(options.filterDir, key, filter).catch(() => undefined)
    },
  }
}

/** Undefined for what a filter alone cannot say: flags of its loading, and listeners that decide for it. */
function keyOf(spec: RuntimeSpec): string | undefined {
  const { seccomp } = spec.linux
  if (seccomp === undefined || seccomp.listenerPath !== undefined || (seccomp.flags ?? []).length > 0) return undefined
  const text = JSON.stringify(seccomp, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
  return createHash('sha256').update(FORM).update(text).digest('hex')
}

function withFilter(spec: RuntimeSpec, filter: string): RuntimeSpec {
  const { seccomp: _compiled, ...linux } = spec.linux
  return { ...spec, linux, annotations: { ...spec.annotations, [FILTER_ANNOTATION]: filter } }
}

/** Undefined if there is none, or none that a kernel would take. */
async function readFilter(path: string): Promise<Buffer | undefined> {
  const filter = await readFile(path).catch(() => undefined)
  if (filter === undefined || filter.length === 0) return undefined
  return filter.length % INSTRUCTION_BYTES === 0 && filter.length <= MAX_INSTRUCTIONS * INSTRUCTION_BYTES ? filter : undefined
}

async function keep(dir: string, key: string, filter: Buffer): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const temporary = join(dir, `.${key}.${process.pid}`)
  await writeFile(temporary, filter, { mode: 0o600 })
  await rename(temporary, join(dir, key))
}
