import { GloveboxError, systemCodeOf } from '#base'

import { dice, mutated, type Dice } from './mutate.ts'

/** A parser of bytes that others made. */
export interface FuzzTarget {
  readonly name: string
  /** Inputs that are accepted, and some that once found something. */
  readonly seeds: readonly Buffer[]
  /** Words of the format. */
  readonly words?: readonly string[]
  /** Makes whole again what a blind change breaks, such as a checksum: else nothing behind it is ever reached. */
  readonly mend?: (input: Buffer, roll: Dice) => Buffer
  /** Beginnings of the codes with which it may refuse. None: it refuses nothing. */
  readonly codes: readonly string[]
  /** The other end is our own program or the kernel: an error of these may say that it is at fault. */
  readonly isPeerTrusted?: boolean
  /** Parses, and throws when what came out is not consistent. */
  run(input: Buffer, roll: Dice): void
}

export interface FuzzOutcome {
  readonly inputs: number
  readonly accepted: number
  /** Different ways in which inputs were refused. */
  readonly refusals: ReadonlySet<string>
  readonly slowestMs: number
}

/** Of one input of at most 64 KiB. It is measured again, as time of the processor, before it counts: the machine may have been busy. */
const MAX_INPUT_MS = 200
/** Inputs with an outcome that none before had are changed further. */
const MAX_KEPT = 400

/** Error: what was wrong, with the input in base64, to become a seed. */
export function fuzz(target: FuzzTarget, { inputs, seed }: { readonly inputs: number; readonly seed: number }): FuzzOutcome {
  const roll = dice(seed)
  const kept = [...target.seeds]
  const refusals = new Set<string>()
  let accepted = 0
  let slowestMs = 0
  for (let count = 0; count < inputs; count += 1) {
    const blind = count < target.seeds.length ? (kept[count] as Buffer) : mutated(roll, roll.pick(kept), kept, target.words ?? [])
    const input =
      target.mend !== undefined && count >= target.seeds.length && roll.below(5) > 0 ? target.mend(blind, roll) : blind
    const startMs = performance.now()
    const outcome = outcomeOf(target, input, roll)
    const tookMs = performance.now() - startMs
    if (tookMs > MAX_INPUT_MS) expectFast(target, input, roll)
    else slowestMs = Math.max(slowestMs, tookMs)
    if (outcome === '') accepted += 1
    else if (!refusals.has(outcome)) {
      refusals.add(outcome)
      if (kept.length < MAX_KEPT) kept.push(input)
    }
  }
  return { inputs, accepted, refusals, slowestMs }
}

function expectFast(target: FuzzTarget, input: Buffer, roll: Dice): void {
  const times = [0, 1, 2].map(() => {
    const start = process.cpuUsage()
    outcomeOf(target, input, roll)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  })
  if (Math.min(...times) > MAX_INPUT_MS) throw new Error(`${target.name}: ${Math.min(...times)} ms for ${shown(input)}`)
}

/** Empty: accepted. Else the refusal without what belongs to this input alone. */
function outcomeOf(target: FuzzTarget, input: Buffer, roll: Dice): string {
  try {
    target.run(input, roll)
    return ''
  } catch (error) {
    if (!isDeclared(target, error)) throw new Error(`${target.name}: ${String(error)} for ${shown(input)}`, { cause: error })
    if (error.message.length > MAX_MESSAGE_CHARACTERS)
      throw new Error(`${target.name}: a message of ${error.message.length} characters for ${shown(input)}`, { cause: error })
    return `${error instanceof GloveboxError ? error.code : error.name} ${error.message
      .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
      .replaceAll(/\d+/g, '0')
      .slice(0, 120)}`
  }
}

function isDeclared({ codes, isPeerTrusted = false }: FuzzTarget, error: unknown): error is Error {
  // A message of the kernel's that is shorter than its kind: the request that asked for it fails with this.
  if (isPeerTrusted && error instanceof RangeError && systemCodeOf(error)?.startsWith('ERR_') === true) return true
  return (
    error instanceof GloveboxError &&
    codes.some((code) => error.code.startsWith(code)) &&
    (isPeerTrusted || error.kind !== 'internal')
  )
}

/** An error message is for people. */
const MAX_MESSAGE_CHARACTERS = 4096

const shown = (input: Buffer) => `${input.toString('base64')} (${input.length} bytes)`
