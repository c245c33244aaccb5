import type { ArgInstruction, Dockerfile, Place } from '#oci/dockerfile'
import { formatPlatform, type Platform } from '#oci/image'

import { buildErrorAt } from './errors.ts'
import { expander } from './scope.ts'

/** Arguments from before the first FROM, and those that the builder defines. A stage sees one after declaring it. */
export interface GlobalArgs {
  readonly values: ReadonlyMap<string, string | undefined>
  readonly epochS: number | undefined
}

/** What every file may use without declaring a default: the platforms, and the target that was asked for. */
export function predefinedArgs(of: {
  readonly platform: Platform
  readonly buildPlatform: Platform
  readonly target: string | undefined
}): Map<string, string> {
  const named = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant],
  ]
  const stage: readonly [string, string] = ['TARGETSTAGE', of.target === undefined || of.target === '' ? 'default' : of.target]
  return new Map([...named('TARGET', of.platform), ...named('BUILD', of.buildPlatform), stage])
}

export function globalArgs(
  before: readonly ArgInstruction[],
  buildArgs: ReadonlyMap<string, string>,
  predefined: ReadonlyMap<string, string>,
  dockerfile: Dockerfile,
  onUnset: (name: string, place: Place, known: Iterable<string>) => void,
): GlobalArgs {
  const values = new Map<string, string | undefined>(predefined)
  for (const name of predefined.keys()) if (buildArgs.has(name)) values.set(name, buildArgs.get(name))
  for (const instruction of before) {
    const place = { file: dockerfile.file, line: instruction.lines.first }
    const expand = expander({ env: new Map(), args: new Map(values) }, place, dockerfile.escape, onUnset)
    for (const { name, value } of instruction.args)
      values.set(name, buildArgs.get(name) ?? (value === undefined ? values.get(name) : expand.word(value)))
  }
  return { values, epochS: epochOf(buildArgs.get('SOURCE_DATE_EPOCH') ?? values.get('SOURCE_DATE_EPOCH'), dockerfile.file) }
}

/** The last second that a date in JSON can hold with four digits of the year. */
const MAX_EPOCH_S = 253_402_300_799

function epochOf(text: string | undefined, file: string): number | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d{1,12}$/.test(text) && Number(text) <= MAX_EPOCH_S) return Number(text)
  const message = `SOURCE_DATE_EPOCH is ${JSON.stringify(text)} and not a number of seconds since 1970`
  throw buildErrorAt('build.instruction_invalid', { file, line: 1 }, message)
}
