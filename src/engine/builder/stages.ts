import type { ArgInstruction, Dockerfile, FromInstruction, Instruction } from '#oci/dockerfile'

import { didYouMean } from './checks/similar.ts'
import { buildErrorAt } from './errors.ts'

export interface StageSource {
  readonly index: number
  readonly name: string | undefined
  readonly from: FromInstruction
  readonly instructions: readonly Instruction[]
}

/** Cuts a Dockerfile at its FROM lines. Only ARG may stand before the first. */
export function readStages(dockerfile: Dockerfile): { before: readonly ArgInstruction[]; stages: readonly StageSource[] } {
  const before: ArgInstruction[] = []
  const stages: { from: FromInstruction; instructions: Instruction[] }[] = []
  for (const instruction of dockerfile.instructions) {
    const place = { file: dockerfile.file, line: instruction.lines.first }
    const current = stages.at(-1)
    if (instruction.kind === 'from') {
      stages.push({ from: instruction, instructions: [] })
    } else if (current !== undefined) current.instructions.push(instruction)
    else if (instruction.kind === 'arg') before.push(instruction)
    else {
      const keyword = instruction.kind.toUpperCase()
      throw buildErrorAt(
        'build.instruction_invalid',
        place,
        `${keyword} stands before the first FROM`,
        'Only ARG may stand there.',
      )
    }
  }
  if (stages.length === 0)
    throw buildErrorAt(
      'build.instruction_invalid',
      { file: dockerfile.file, line: 1 },
      'the file has no FROM',
      'Begin with FROM.',
    )
  return { before, stages: stages.map((stage, index) => ({ index, name: stage.from.stage, ...stage })) }
}

/** The stage that is asked for; the last when none is. Error: `build.stage_not_found`. */
export function targetIndex(
  { target, dockerfile }: { readonly target: string | undefined; readonly dockerfile: Dockerfile },
  stages: readonly StageSource[],
): number {
  if (target === undefined || target === '') return stages.length - 1
  const found = findStage(stages, target, stages.length) ?? (/^\d+$/.test(target) ? stages[Number(target)] : undefined)
  if (found !== undefined) return found.index
  const names = stages.map((stage) => stage.name ?? String(stage.index))
  throw buildErrorAt(
    'build.stage_not_found',
    { file: dockerfile.file, line: 1 },
    `there is no stage ${target}${didYouMean(target, names)}`,
    `There are: ${names.join(', ').slice(0, 1000)}.`,
  )
}

/** The stage of a name, case aside, among the first `below`: of two with one name the later. */
export function findStage(stages: readonly StageSource[], name: string, below: number): StageSource | undefined {
  const wanted = name.toLowerCase()
  return stages.findLast((stage) => stage.index < below && stage.name === wanted)
}
