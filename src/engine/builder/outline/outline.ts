import { GloveboxError } from '#base'
import type { ArgInstruction, Dockerfile, Instruction, MountFlag } from '#oci/dockerfile'

import { globalArgs, predefinedArgs } from '../global-args.ts'
import type { PlanInput } from '../plan-input.ts'
import { expander, type Expander } from '../scope.ts'
import { findStage, readStages, targetIndex, type StageSource } from '../stages.ts'

interface OutlinedArg {
  readonly name: string
  /** What it will be: as given, else its default; null when it has neither. */
  readonly value: string | null
  readonly description: string | null
  readonly line: number
}

interface OutlinedNeed {
  readonly id: string
  readonly isRequired: boolean
  readonly line: number
}

/** What somebody who builds a target can or must give. */
export interface BuildOutline {
  readonly stage: string
  readonly description: string | null
  readonly args: readonly OutlinedArg[]
  readonly secrets: readonly OutlinedNeed[]
  readonly sshAgents: readonly OutlinedNeed[]
}

export interface BuildTarget {
  /** Its number where it has no name. */
  readonly name: string
  readonly description: string | null
  /** As FROM has it, variables put in where that is possible. */
  readonly base: string
  readonly platform: string | null
  /** Built when no target is named. */
  readonly isDefault: boolean
}

/** The stages of a file. From its text alone: no image is looked at. Errors: `dockerfile.*`, `build.*`. */
export function listTargets(input: PlanInput): readonly BuildTarget[] {
  const { stages, expand } = readInput(input)
  return stages.map((stage) => ({
    name: nameOf(stage),
    description: descriptionOf(stage.from.stage, stage.from.comment),
    base: written(() => expand.word(stage.from.image), stage.from.image),
    platform:
      stage.from.platform === undefined ? null : written(() => expand.word(stage.from.platform ?? ''), stage.from.platform),
    isDefault: stage.index === stages.length - 1,
  }))
}

/** What the target takes: arguments of its stages and of FROM, secrets and agents of their RUN steps. Errors: `dockerfile.*`, `build.*`. */
export function outlineTarget(input: PlanInput): BuildOutline {
  const { stages, before, expand, values } = readInput(input)
  const target = stages[targetIndex(input, stages)]
  const needed = target === undefined ? [] : lineage(stages, target, expand)
  const args = new Map<string, OutlinedArg>()
  for (const instruction of [...before, ...needed.flatMap((stage) => stage.instructions.filter((one) => one.kind === 'arg'))])
    for (const arg of argsOf(instruction, input, values, args)) args.set(arg.name, arg)
  const known = new Map([...values, ...[...args.values()].map(({ name, value }) => [name, value ?? undefined] as const)])
  const expandNeeds = expanderOf(input.dockerfile, known)
  const secrets = new Map<string, OutlinedNeed>()
  const sshAgents = new Map<string, OutlinedNeed>()
  for (const { kind, need } of needed.flatMap((stage) => stage.instructions.flatMap((one) => needsOf(one, expandNeeds)))) {
    const found = kind === 'secret' ? secrets : sshAgents
    found.set(need.id, { ...need, isRequired: need.isRequired || found.get(need.id)?.isRequired === true })
  }
  return {
    stage: target === undefined ? '' : nameOf(target),
    description: target === undefined ? null : descriptionOf(target.from.stage, target.from.comment),
    args: [...args.values()],
    secrets: [...secrets.values()],
    sshAgents: [...sshAgents.values()],
  }
}

function readInput(input: PlanInput) {
  const { dockerfile } = input
  const { before, stages } = readStages(dockerfile)
  const { values } = globalArgs(before, input.buildArgs, predefinedArgs(input), dockerfile, () => undefined)
  return { before, stages, values, expand: expanderOf(dockerfile, values) }
}

function expanderOf(dockerfile: Dockerfile, args: ReadonlyMap<string, string | undefined>): Expander {
  return expander({ env: new Map(), args }, { file: dockerfile.file, line: 1 }, dockerfile.escape, () => undefined)
}

const nameOf = (stage: StageSource): string => stage.name ?? String(stage.index)

/** The comment above a definition describes it when it begins with its name. */
function descriptionOf(name: string | undefined, comment: string | undefined): string | null {
  if (name === undefined || comment === undefined || comment.split(/\s/, 1)[0]?.toLowerCase() !== name.toLowerCase()) return null
  return comment.slice(name.length).trim() || null
}

/** Stages that the target stands on or takes files from, in the order of the file. */
function lineage(stages: readonly StageSource[], target: StageSource, expand: Expander): readonly StageSource[] {
  const needed = new Set<StageSource>()
  const pending = [target]
  for (let stage = pending.pop(); stage !== undefined; stage = pending.pop()) {
    if (needed.has(stage)) continue
    needed.add(stage)
    const { index, from, instructions } = stage
    const names = [written(() => expand.word(from.image), from.image), ...instructions.flatMap(sourcesOf)]
    for (const name of names) {
      const found = /^\d+$/.test(name) ? stages[Number(name)] : findStage(stages, name, index)
      if (found !== undefined && found.index < index) pending.push(found)
    }
  }
  return stages.filter((stage) => needed.has(stage))
}

function sourcesOf(instruction: Instruction): readonly string[] {
  if (instruction.kind === 'copy') return instruction.from === undefined ? [] : [instruction.from]
  if (instruction.kind !== 'run') return []
  return instruction.mounts.flatMap(({ options }) => options.get('from') ?? [])
}

function needsOf(instruction: Instruction, expand: Expander) {
  if (instruction.kind !== 'run') return []
  return instruction.mounts.flatMap((mount) => {
    if (mount.type !== 'secret' && mount.type !== 'ssh') return []
    const id = idOf(mount, expand)
    const isRequired = /^(?:true|1)$/i.test(mount.options.get('required') ?? '')
    return id === '' ? [] : [{ kind: mount.type, need: { id, isRequired, line: instruction.lines.first } }]
  })
}

function idOf({ type, options }: MountFlag, expand: Expander): string {
  const text = options.get('id') ?? (type === 'ssh' ? 'default' : (options.get('target')?.split('/').at(-1) ?? ''))
  return written(() => expand.word(text), text)
}

function argsOf(
  instruction: ArgInstruction,
  input: PlanInput,
  globals: ReadonlyMap<string, string | undefined>,
  known: ReadonlyMap<string, OutlinedArg>,
): readonly OutlinedArg[] {
  const visible = new Map(globals)
  for (const { name, value } of known.values()) visible.set(name, value ?? undefined)
  const expand = expanderOf(input.dockerfile, visible)
  return instruction.args.map(({ name, value }) => {
    const before = known.get(name)
    const own = value === undefined ? (before?.value ?? globals.get(name) ?? null) : written(() => expand.word(value), value)
    return {
      name,
      value: input.buildArgs.get(name) ?? own,
      description: descriptionOf(name, instruction.comment) ?? before?.description ?? null,
      line: instruction.lines.first,
    }
  })
}

/** An outline says what is wanted: a value that demands another one which is not there yet stands as it is written. */
function written(read: () => string, fallback: string): string {
  try {
    return read()
  } catch (error) {
    if (error instanceof GloveboxError) return fallback
    throw error
  }
}
