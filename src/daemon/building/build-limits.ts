import { availableParallelism, totalmem } from 'node:os'

import { fail, parseBytes } from '#base'

import type { RunDefaults } from './build-runner.ts'

/** What builds may take of the machine. */
export interface BuildLimits extends RunDefaults {
  /** Commands of all builds together that run at a time. */
  readonly atOnce: number
}

/** Most commands of builds wait for a network: one processor has work for two. */
const MIN_AT_ONCE = 2
const MAX_AT_ONCE = 256
/** A quarter of a container's: what serves somebody goes before what is being built. */
const DEFAULT_CPU_SHARES = 256
/** The kernel's bounds (CONFIG_CGROUPS, cpu.shares). */
const MIN_CPU_SHARES = 2
const MAX_CPU_SHARES = 262_144
/** Of the machine's memory: a compiler that wants all of it ends, and not the containers beside it. */
const MEMORY_SHARE = 0.75
const MIN_MEMORY_BYTES = 6 * 1024 * 1024
/** The largest parallel builds have some hundred; a fork bomb ends here. */
const DEFAULT_PIDS = 10_000

export interface BuildArguments {
  readonly 'build-parallel'?: string | undefined
  readonly 'build-cpu-shares'?: string | undefined
  readonly 'build-memory'?: string | undefined
  readonly 'build-pids'?: string | undefined
}

/** Error: `input.invalid`. */
export function readBuildLimits(values: BuildArguments): BuildLimits {
  const memory = values['build-memory']
  const memoryBytes = memory === undefined ? Math.floor(totalmem() * MEMORY_SHARE) : parseBytes(memory, '--build-memory')
  if (memoryBytes < MIN_MEMORY_BYTES)
    throw fail('input.invalid', `--build-memory ${memory}: a command needs ${MIN_MEMORY_BYTES} bytes at least`)
  const atOnce = Math.max(MIN_AT_ONCE, availableParallelism())
  return {
    memoryBytes,
    atOnce: count('--build-parallel', values['build-parallel'], { fallback: atOnce, least: 1, most: MAX_AT_ONCE }),
    cpuShares: count('--build-cpu-shares', values['build-cpu-shares'], {
      fallback: DEFAULT_CPU_SHARES,
      least: MIN_CPU_SHARES,
      most: MAX_CPU_SHARES,
    }),
    pids: count('--build-pids', values['build-pids'], { fallback: DEFAULT_PIDS, least: 1, most: 4_194_304 }),
  }
}

function count(
  flag: string,
  text: string | undefined,
  { fallback, least, most }: { readonly fallback: number; readonly least: number; readonly most: number },
): number {
  const value = text === undefined ? fallback : Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw fail('input.invalid', `${flag} ${text}: give a whole number from ${least} to ${most}`)
}
