import { invariant } from '#base'

import { BPF, type BpfInstruction, compares, MAX_INSTRUCTIONS, OFFSET, readProgram, writeProgram } from './bpf.ts'

/**
 * The same filter, made so that the kernel loads it quickly. libseccomp writes one comparison after the other. When a filter is loaded the kernel
 * walks through it for every number of a system call that there is, in both architectures, to learn which are always allowed (kernel/seccomp.c,
 * `seccomp_cache_prepare`): 0.9 ms for the default profile, at each start of a container and of an exec. Here a binary search over
 * the numbers leads to where the walk would have ended, which is the answer or the first look at an argument; from there on it is the filter as
 * it was. A filter with anything in it that this does not know comes back as it is.
 */
export function quickFilter(filter: Buffer): Buffer {
  const program = readProgram(filter)
  const reader = reading(program)
  const architectures = reader.pieces((architecture) => reader.endOf({ architecture, number: undefined }))
  // One piece: it asks for no architecture.
  if (architectures === undefined || architectures.length === 1) return filter
  const tails = tailsOf(program)
  const quick = tree(architectures.map(({ from, to, end }) => ({ from, block: () => ofArchitecture(from, to, end) })))
  if (quick === undefined) return filter
  const whole = tails.link([load(OFFSET.architecture), ...quick])
  return whole === undefined ? filter : writeProgram(whole)

  function ofArchitecture(from: number, to: number, end: End): readonly Item[] | undefined {
    if (end.type === 'return' || from !== to) return [tails.item(end)]
    const numbers = reader.pieces((number) => reader.endOf({ architecture: from, number }))
    if (numbers === undefined) return undefined
    const search = tree(numbers.map((piece) => ({ from: piece.from, block: () => [tails.item(piece.end)] })))
    return search === undefined ? undefined : [load(OFFSET.number), ...search]
  }
}

/** What is known of a system call. */
interface Known {
  readonly architecture: number
  readonly number: number | undefined
}

/** Where a walk ends that knows so much: at an answer, or at an instruction that loads what is not known. */
type End = { readonly type: 'return'; readonly k: number } | { readonly type: 'at'; readonly index: number }

interface Piece {
  readonly from: number
  /** Included. */
  readonly to: number
  readonly end: End
}

const MAX_WORD = 0xffff_ffff

function reading(program: readonly BpfInstruction[]) {
  // All comparisons are with these: between two of them nothing changes.
  const steps = new Set([0])
  for (const { code, k } of program) {
    if (code !== BPF.equal && code !== BPF.greater && code !== BPF.atLeast) continue
    steps.add(k)
    if (k < MAX_WORD) steps.add(k + 1)
  }
  const starts = [...steps].toSorted((a, b) => a - b)

  const endOf = (known: Known): End | undefined => {
    let accumulator: number | undefined
    for (let index = 0; index < program.length;) {
      const { code, jt, jf, k } = program[index] as BpfInstruction
      if (code === BPF.return) return { type: 'return', k }
      if (code === BPF.load) {
        accumulator = k === OFFSET.architecture ? known.architecture : k === OFFSET.number ? known.number : undefined
        if (accumulator === undefined) return { type: 'at', index }
        index += 1
      } else if (code === BPF.jump) index += 1 + k
      else {
        // Single bits of what is known would change within a piece.
        const holds = code === BPF.anyBit || accumulator === undefined ? undefined : compares(code, accumulator, k)
        if (holds === undefined) return undefined
        index += 1 + (holds ? jt : jf)
      }
    }
    return undefined
  }

  const pieces = (endAt: (value: number) => End | undefined): readonly Piece[] | undefined => {
    const found: Piece[] = []
    for (const [index, from] of starts.entries()) {
      const end = endAt(from)
      if (end === undefined) return undefined
      const to = (starts[index + 1] ?? MAX_WORD + 1) - 1
      const last = found.at(-1)
      if (last !== undefined && isSame(last.end, end)) found[found.length - 1] = { ...last, to }
      else found.push({ from, to, end })
    }
    return found
  }
  return { endOf, pieces }
}

function isSame(left: End, right: End): boolean {
  return left.type === 'return'
    ? right.type === 'return' && left.k === right.k
    : right.type === 'at' && left.index === right.index
}

/** An instruction, or a jump to one of the old program whose place is not known yet. */
type Item = BpfInstruction | { readonly tail: number }

interface Branch {
  readonly from: number
  readonly block: () => readonly Item[] | undefined
}

/** How far a comparison can jump: a byte. */
const MAX_SHORT_JUMP = 255

function tree(branches: readonly Branch[]): readonly Item[] | undefined {
  const [first] = branches
  if (first === undefined) return undefined
  if (branches.length === 1) return first.block()
  const middle = branches.length >> 1
  const pivot = branches[middle]?.from ?? 0
  const below = tree(branches.slice(0, middle))
  const above = tree(branches.slice(middle))
  if (below === undefined || above === undefined) return undefined
  const test =
    below.length <= MAX_SHORT_JUMP
      ? [{ code: BPF.atLeast, jt: below.length, jf: 0, k: pivot }]
      : [
          { code: BPF.atLeast, jt: 0, jf: 1, k: pivot },
          { code: BPF.jump, jt: 0, jf: 0, k: below.length },
        ]
  return [...test, ...below, ...above]
}

function load(offset: number): BpfInstruction {
  return { code: BPF.load, jt: 0, jf: 0, k: offset }
}

interface Tails {
  item(end: End): Item
  /** The whole program; undefined: it is too long, or something in it jumps out of it. */
  link(items: readonly Item[]): readonly BpfInstruction[] | undefined
}

/** The parts of the old program that are still gone to, each instruction once, in their order, behind the new ones. */
function tailsOf(program: readonly BpfInstruction[]): Tails {
  const needed = new Set<number>()
  const need = (from: number): void => {
    const open = [from]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (needed.has(index)) continue
      needed.add(index)
      const instruction = program[index]
      if (instruction !== undefined) open.push(...nextOf(instruction, index))
    }
  }
  return {
    item: (end) => {
      if (end.type === 'return') return { code: BPF.return, jt: 0, jf: 0, k: end.k }
      need(end.index)
      return { tail: end.index }
    },
    link: (items) => {
      const kept = [...needed].toSorted((a, b) => a - b)
      if (items.length + kept.length > MAX_INSTRUCTIONS || (kept.at(-1) ?? 0) >= program.length) return undefined
      const places = new Map(kept.map((index, order) => [index, items.length + order]))
      const place = (index: number): number => {
        const found = places.get(index)
        invariant(found !== undefined, `instruction ${index} is gone to and was left out`)
        return found
      }
      const head = items.map((item, at) =>
        'tail' in item ? { code: BPF.jump, jt: 0, jf: 0, k: place(item.tail) - at - 1 } : item,
      )
      return [...head, ...kept.map((index) => moved(program[index] as BpfInstruction, index, place))]
    },
  }
}

/** Instructions between that nobody goes to are left out: it jumps as far or less. */
function moved(instruction: BpfInstruction, index: number, place: (index: number) => number): BpfInstruction {
  const { code, jt, jf, k } = instruction
  const skip = (by: number) => place(index + 1 + by) - place(index) - 1
  if (code === BPF.jump) return { code, jt, jf, k: skip(k) }
  return isComparison(code) ? { code, jt: skip(jt), jf: skip(jf), k } : instruction
}

function nextOf({ code, jt, jf, k }: BpfInstruction, index: number): readonly number[] {
  if (code === BPF.return) return []
  if (code === BPF.jump) return [index + 1 + k]
  return isComparison(code) ? [index + 1 + jt, index + 1 + jf] : [index + 1]
}

/** BPF_CLASS is BPF_JMP. */
function isComparison(code: number): boolean {
  return (code & 7) === 5 && code !== BPF.jump
}
