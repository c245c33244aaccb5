import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { BPF, type BpfInstruction, compares, OFFSET, readProgram, writeProgram } from './bpf.ts'
import { quickFilter } from './quick-filter.ts'

const [X86_64, I386, ALLOW, ERRNO, KILL] = [0xc000_003e, 0x4000_0003, 0x7fff_0000, 0x0005_0001, 0x8000_0000]
const FIRST_ARGUMENT = 16

interface Call {
  readonly architecture: number
  readonly number: number
  readonly argument: number
}

/** What the kernel would answer, and after how many instructions. */
function run(filter: Buffer, { architecture, number, argument }: Call): { readonly answer: number; readonly steps: number } {
  const program = readProgram(filter)
  let accumulator = 0
  for (let index = 0, steps = 1; ; steps += 1) {
    const { code, jt, jf, k } = program[index] ?? assert.fail(`jumps to ${index} of ${program.length}`)
    if (code === BPF.return) return { answer: k, steps }
    if (code === BPF.load) accumulator = k === OFFSET.architecture ? architecture : k === OFFSET.number ? number : argument
    index += 1 + (code === BPF.load ? 0 : code === BPF.jump ? k : compares(code, accumulator, k) === true ? jt : jf)
  }
}

/** One comparison after the other, as libseccomp writes them: `rules` of one architecture, then the answer for all others. */
function linear(rules: ReadonlyMap<number, number | 'by-argument'>): readonly BpfInstruction[] {
  const op = (code: number, k: number, jt = 0, jf = 0): BpfInstruction => ({ code, k, jt, jf })
  const body = [...rules].flatMap(([number, answer]) =>
    answer === 'by-argument'
      ? [
          op(BPF.equal, number, 0, 4),
          op(BPF.load, FIRST_ARGUMENT),
          op(BPF.greater, 7, 0, 1),
          op(BPF.return, ERRNO),
          op(BPF.return, ALLOW),
        ]
      : [op(BPF.equal, number, 0, 1), op(BPF.return, answer)],
  )
  const [first, last] = [op(BPF.load, OFFSET.architecture), op(BPF.return, KILL)]
  const x32 = [op(BPF.atLeast, 0x4000_0000, 0, 1), op(BPF.return, KILL)]
  const numbers = [op(BPF.load, OFFSET.number), ...x32, ...body, op(BPF.return, ERRNO)]
  return [first, op(BPF.equal, X86_64, 1, 0), op(BPF.jump, numbers.length), ...numbers, last]
}

const rules = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.constantFrom(ALLOW, ERRNO, 'by-argument' as const)), { maxLength: 400 })
  .map((entries) => new Map(entries))

test('a searched filter answers every call as the one it was made from', () => {
  fc.assert(
    fc.property(rules, (known) => {
      const before = writeProgram(linear(known))
      const after = quickFilter(before)
      const numbers = [...known.keys()].flatMap((number) => [number - 1, number, number + 1]).filter((number) => number >= 0)
      for (const number of [0, ...numbers, 0x3fff_ffff, 0x4000_0000, 0xffff_ffff])
        for (const architecture of [X86_64, I386, 0, 0xffff_ffff])
          for (const argument of [0, 7, 8, 0xffff_ffff]) {
            const call = { architecture, number, argument }
            assert.equal(run(after, call).answer, run(before, call).answer, JSON.stringify(call))
          }
    }),
    { numRuns: 60 },
  )
})

test('it takes as many steps as the logarithm of the rules', () => {
  const many = new Map(Array.from({ length: 250 }, (_, index) => [index * 2, ALLOW] as const))
  const before = writeProgram(linear(many))
  const after = quickFilter(before)
  const steps = (filter: Buffer) =>
    Math.max(...Array.from({ length: 600 }, (_, number) => run(filter, { architecture: X86_64, number, argument: 0 }).steps))
  assert.ok(steps(before) > 250)
  assert.ok(steps(after) < 20, `${steps(after)} steps`)
})

test('a filter with something else in it stays as it is', () => {
  const filter = (second: BpfInstruction) =>
    writeProgram([
      { code: BPF.load, jt: 0, jf: 0, k: OFFSET.architecture },
      { code: BPF.equal, jt: 0, jf: 3, k: X86_64 },
      { code: BPF.load, jt: 0, jf: 0, k: OFFSET.number },
      second,
      { code: BPF.return, jt: 0, jf: 0, k: ALLOW },
      { code: BPF.return, jt: 0, jf: 0, k: KILL },
    ])
  const [arithmetic, bits, beyond] = [
    { code: 0x54, jt: 0, jf: 0, k: 0xff },
    { code: BPF.anyBit, jt: 0, jf: 1, k: 2 },
    { code: BPF.equal, jt: 0, jf: 9, k: 2 },
  ]
  for (const second of [arithmetic, bits, beyond]) assert.deepEqual(quickFilter(filter(second)), filter(second))
})

test('a program whose rest jumps out of it stays as it is', () => {
  const broken = writeProgram([
    { code: BPF.load, jt: 0, jf: 0, k: OFFSET.architecture },
    { code: BPF.equal, jt: 0, jf: 2, k: X86_64 },
    { code: BPF.load, jt: 0, jf: 0, k: FIRST_ARGUMENT },
    { code: BPF.equal, jt: 0, jf: 9, k: 2 },
    { code: BPF.return, jt: 0, jf: 0, k: ALLOW },
  ])
  assert.deepEqual(quickFilter(broken), broken)
})
