import { parseTrigger, type Dockerfile, type Place } from '#oci/dockerfile'
import { emptyProcessConfig, formatPlatform, MAX_LAYERS, parsePlatform, type Platform } from '#oci/image'

import { didYouMean } from './checks/similar.ts'
import { checkDockerfile, checkSettings, keptFindings, type CheckFinding, type CheckName } from './checks/index.ts'
import { buildErrorAt } from './errors.ts'
import { globalArgs, predefinedArgs, type GlobalArgs } from './global-args.ts'
import { MAX_STAGES } from './limits.ts'
import { findNamedContext, type NamedContext, type NamedContexts } from './named-contexts.ts'
import { planInstruction } from './plan-instruction.ts'
import type { PlanInput } from './plan-input.ts'
import type { BaseImage } from './ports.ts'
import { envOf, expander, PROXY_NAMES } from './scope.ts'
import type { StageState } from './stage-state.ts'
import { findStage, readStages, targetIndex, type StageSource } from './stages.ts'
import type { BuildPlan, CopyAction, CopyFrom, PlanWarning, StageBase, StagePlan, Step } from './steps.ts'

export interface ImageNeed {
  readonly reference: string
  readonly platform: Platform
  readonly place: Place
}

export type Planned =
  | { readonly kind: 'plan'; readonly plan: BuildPlan }
  /** Resolve these and plan again. */
  | { readonly kind: 'needs'; readonly images: readonly ImageNeed[] }

/** How `resolved` names an image. */
export function imageKey(need: Pick<ImageNeed, 'reference' | 'platform'>): string {
  return `${formatPlatform(need.platform)} ${need.reference}`
}

/**
 * Plans the stages that the target needs, and no others. Bases come from `resolved`; `null` means that there is no such image. Throws
 * `build.*` and `dockerfile.*` at the line concerned.
 */
export function planBuild(input: PlanInput, resolved: ReadonlyMap<string, BaseImage | null>): Planned {
  const planner = createPlanner(input, resolved)
  const target = planner.plan(planner.targetIndex())
  if (target === undefined) return { kind: 'needs', images: planner.needs }
  const withLabels = { ...target, config: { ...target.config, labels: { ...target.config.labels, ...input.labels } } }
  const stages = planner.stages().map((stage) => (stage === target ? withLabels : stage))
  const numbered = numberSteps(stages, withLabels)
  const warnings = [...checked(input, planner.findings()), ...unusedArgs(input, planner.declared)]
  return { kind: 'plan', plan: { ...numbered, epochS: planner.epochS, warnings } }
}

/** The findings that the file wants to hear of. With `# check=error=true` the first of them ends the build. */
function checked(input: PlanInput, findings: readonly CheckFinding[]): readonly CheckFinding[] {
  const { dockerfile } = input
  // What is given when building wins over what the file says.
  const settings = checkSettings(input.buildArgs.get('BUILDKIT_DOCKERFILE_CHECK') ?? dockerfile.check, placeOf(dockerfile, 1))
  const kept = keptFindings(findings, settings)
  const [first] = kept
  if (!input.failsOnFindings || !settings.failsBuild || first === undefined) return kept
  const count = kept.length === 1 ? 'a finding' : `${kept.length} findings`
  const hint = `Correct it, or leave the check out with # check=skip=${first.check}.`
  throw buildErrorAt('build.check_failed', first.place, `the build ends at ${count}: ${first.check}: ${first.message}`, hint)
}

function createPlanner(input: PlanInput, resolved: ReadonlyMap<string, BaseImage | null>) {
  const { dockerfile } = input
  const warnings: CheckFinding[] = []
  const warned = new Set<string>()
  const warn = (check: CheckName, place: Place, message: string) => {
    if (!warned.has(`${place.line} ${message}`)) warnings.push({ check, place, message })
    warned.add(`${place.line} ${message}`)
  }
  const onUnset = (name: string, place: Place, known: Iterable<string> = []) =>
    warn('UndefinedVar', place, `the variable ${name} has no value here${didYouMean(name, known)}`)
  const { before, stages: sources } = readStages(dockerfile)
  const predefined = predefinedArgs(input)
  const globals: GlobalArgs = globalArgs(before, input.buildArgs, predefined, dockerfile, onUnset)
  const declared = new Set<string>(before.flatMap((arg) => arg.args.map(({ name }) => name)))
  const namedContexts = input.namedContexts ?? new Map()
  const done = new Map<number, StagePlan | undefined>()
  const needs: ImageNeed[] = []
  if (sources.length > MAX_STAGES)
    throw buildErrorAt(
      'build.too_many_stages',
      placeOf(dockerfile, 1),
      `the file has ${sources.length} stages, more than ${MAX_STAGES}`,
    )

  const image = (reference: string, platform: Platform, place: Place): BaseImage | undefined => {
    const found = resolved.get(imageKey({ reference, platform }))
    if (found === undefined) needs.push({ reference, platform, place })
    if (found !== null) return found
    const hint = 'Check the name and tag, or pull or load the image first.'
    throw buildErrorAt('build.base_not_found', place, `no such image: ${reference} for ${formatPlatform(platform)}`, hint)
  }

  const baseOf = (source: StageSource, place: Place): FoundBase | undefined => {
    const expand = expander({ env: new Map(), args: globals.values }, place, dockerfile.escape, () => undefined)
    const reference = expand.word(source.from.image)
    const hint = 'Give the ARG before FROM a default, or pass --build-arg.'
    if (reference === '') throw buildErrorAt('build.instruction_invalid', place, `FROM ${source.from.image} names no image`, hint)
    const written = source.from.platform === undefined ? '' : expand.word(source.from.platform)
    const platform = written === '' ? input.platform : parsePlatform(written)
    const named = findNamedContext(namedContexts, source.from.stage ?? '') ?? findNamedContext(namedContexts, reference)
    if (named?.kind === 'tree') return { base: { kind: 'scratch' }, platform, files: nameOfContext(namedContexts, named) }
    const wanted = named === undefined ? reference : named.kind === 'image' ? named.reference : named.name
    if (wanted === 'scratch') return { base: { kind: 'scratch' }, platform }
    const earlier = named?.kind === 'image' ? undefined : findStage(sources, wanted, source.index)
    if (earlier === undefined && named?.kind === 'stage') throw noStage(named.name, place)
    if (earlier !== undefined) {
      const stage = plan(earlier.index)
      return stage === undefined ? undefined : { base: { kind: 'stage', stage }, platform: stage.platform }
    }
    const found = image(wanted, platform, place)
    if (found === undefined) return undefined
    const { os, architecture } = found.config
    if (os !== platform.os || architecture !== platform.architecture)
      warn(
        'InvalidBaseImagePlatform',
        place,
        `${wanted} is for ${os}/${architecture}, and this build for ${formatPlatform(platform)}`,
      )
    return { base: { kind: 'image', reference: wanted, image: found }, platform }
  }

  const copyFrom = (name: string, stageIndex: number, platform: Platform, place: Place): CopyFrom | undefined => {
    const named = findNamedContext(namedContexts, name)
    if (named?.kind === 'tree') return { kind: 'named-context', name: nameOfContext(namedContexts, named) }
    if (named?.kind === 'image') {
      const found = image(named.reference, platform, place)
      return found === undefined ? undefined : { kind: 'image', layers: found.config.diffIds }
    }
    const wanted = named?.name ?? name
    const numbered = /^\d+$/.test(wanted) ? sources[Number(wanted)] : undefined
    const earlier = numbered ?? findStage(sources, wanted, sources.length)
    if (earlier !== undefined && earlier.index >= stageIndex)
      throw buildErrorAt(
        'build.stage_not_found',
        place,
        `the stage ${name} is not finished here`,
        'Copy only from stages above this one.',
      )
    if (earlier !== undefined) {
      const stage = plan(earlier.index)
      return stage === undefined ? undefined : { kind: 'stage', stage }
    }
    if (named !== undefined) throw noStage(wanted, place)
    if (/^\d+$/.test(name)) throw buildErrorAt('build.stage_not_found', place, `there is no stage ${name}`)
    const found = image(name, platform, place)
    return found === undefined ? undefined : { kind: 'image', layers: found.config.diffIds }
  }

  const planStage = (source: StageSource): StagePlan | undefined => {
    const place = placeOf(dockerfile, source.from.lines.first)
    const found = baseOf(source, place)
    if (found === undefined) return undefined
    const { base, platform } = found
    const start = startOf(base)
    const state: StageState = {
      input,
      config: { ...start.config, onBuild: [] },
      author: start.author,
      scope: { env: envOf(start.config.env), args: new Map(start.args) },
      hasOwnCmd: false,
      globals,
      declare: (name) => declared.add(name),
      onUnset,
      copyFrom: (name, at) => copyFrom(name, source.index, platform, at),
    }
    const triggers = start.config.onBuild.map((text) => parseTrigger(text, `${place.file} (ONBUILD of ${source.from.image})`))
    const steps = [
      ...(found.files === undefined ? [] : [filesStep(found.files, place)]),
      ...triggers.map((one) => planInstruction(state, one, place, 'ONBUILD ')),
      ...source.instructions.map((one) => planInstruction(state, one, placeOf(dockerfile, one.lines.first), '')),
    ]
    if (steps.includes(undefined)) return undefined
    const { config, author, scope } = state
    const from = { place, number: 0, text: source.from.source }
    const whole = { index: source.index, name: source.name, platform, base, from, config, author, args: scope.args }
    return limited({ ...whole, steps: steps.filter((step) => step !== undefined) })
  }

  const plan = (index: number): StagePlan | undefined => {
    const source = sources[index]
    if (source === undefined) return undefined
    if (!done.has(index)) done.set(index, planStage(source))
    return done.get(index)
  }

  return {
    plan,
    needs,
    findings: () => [
      ...warnings,
      ...checkDockerfile({ dockerfile, stages: sources, before, predefined, isIgnored: input.isIgnored }),
    ],
    declared,
    epochS: globals.epochS,
    stages: () => [...done.values()].filter((stage) => stage !== undefined),
    targetIndex: () => targetIndex(input, sources),
  }
}

interface FoundBase {
  readonly base: StageBase
  readonly platform: Platform
  /** The named context whose files the stage begins with. */
  readonly files?: string
}

function nameOfContext(contexts: NamedContexts, wanted: NamedContext): string {
  return [...contexts].find(([, context]) => context === wanted)?.[0] ?? ''
}

/** A stage that begins with the files of a context has them as its first layer. */
function filesStep(name: string, place: Place): Step {
  const action: CopyAction = {
    kind: 'copy',
    instruction: 'COPY',
    from: { kind: 'named-context', name },
    sources: ['/'],
    remotes: [],
    unpacksRemotes: false,
    isHostNetworkAllowed: false,
    excludes: [],
    keepsParents: false,
    inlineFiles: [],
    destination: '/',
    owner: undefined,
    mode: undefined,
    unpacks: false,
    isLink: true,
  }
  return { place, number: 0, text: `FROM the context ${name}`, createdBy: `COPY / / # context ${name}`, action }
}

function noStage(name: string, place: Place) {
  return buildErrorAt('build.stage_not_found', place, `there is no stage ${name}, for which a build context stands`)
}

function startOf(base: StageBase) {
  if (base.kind === 'stage') return { config: base.stage.config, author: base.stage.author, args: base.stage.args }
  const none: ReadonlyMap<string, string | undefined> = new Map()
  if (base.kind === 'scratch') return { config: emptyProcessConfig(), author: '', args: none }
  return { config: base.image.config.config, author: base.image.config.author, args: none }
}

/** Layers below a stage, and at most as many of its own as it has steps that make one. */
function layerBound(stage: StagePlan): number {
  const own = stage.steps.filter((step) => step.action.kind !== 'metadata').length
  if (stage.base.kind === 'scratch') return own
  return own + (stage.base.kind === 'image' ? stage.base.image.config.diffIds.length : layerBound(stage.base.stage))
}

function limited(stage: StagePlan): StagePlan {
  const bound = layerBound(stage)
  if (bound <= MAX_LAYERS) return stage
  const hint = 'Join RUN steps with && or a here-document.'
  throw buildErrorAt(
    'build.too_many_layers',
    stage.from.place,
    `the stage comes to ${bound} layers, more than ${MAX_LAYERS}`,
    hint,
  )
}

/** Numbers all steps in the order of execution. Stages point at each other, so that the numbers go into new values bottom up. */
function numberSteps(stages: readonly StagePlan[], target: StagePlan): Pick<BuildPlan, 'stages' | 'target' | 'stepCount'> {
  const renewed = new Map<number, StagePlan>()
  let number = 0
  const renew = (stage: StagePlan): StagePlan => renewed.get(stage.index) ?? stage
  for (const stage of stages.toSorted((a, b) => a.index - b.index)) {
    number += 1
    const from = { ...stage.from, number }
    const base: StageBase = stage.base.kind === 'stage' ? { kind: 'stage', stage: renew(stage.base.stage) } : stage.base
    const steps = stage.steps.map((step) => {
      number += 1
      const { action } = step
      if (action.kind !== 'copy' || action.from.kind !== 'stage') return { ...step, number }
      return { ...step, number, action: { ...action, from: { kind: 'stage' as const, stage: renew(action.from.stage) } } }
    })
    renewed.set(stage.index, { ...stage, from, base, steps })
  }
  return { stages: [...renewed.values()], target: renew(target), stepCount: number }
}

/** Build arguments that mean something without an ARG. */
const TAKEN_ARGS: ReadonlySet<string> = new Set([
  ...PROXY_NAMES,
  'SOURCE_DATE_EPOCH',
  'BUILDKIT_SYNTAX',
  'BUILDKIT_DOCKERFILE_CHECK',
  'BUILDKIT_CACHE_MOUNT_NS',
])

const isBuiltIn = (name: string) => name.startsWith('BUILDKIT_')

function unusedArgs(input: PlanInput, declared: ReadonlySet<string>): PlanWarning[] {
  const unused = [...input.buildArgs.keys()].filter((name) => !declared.has(name) && !TAKEN_ARGS.has(name))
  const [builtIn, others] = [unused.filter(isBuiltIn), unused.filter((name) => !isBuiltIn(name))]
  const place = placeOf(input.dockerfile, 1)
  return [
    ...(others.length === 0
      ? []
      : [{ check: undefined, place, message: `no ARG takes the build arguments ${others.join(', ')}` }]),
    ...builtIn.map((name) => ({
      check: undefined,
      place,
      message: `the build argument ${name} is not supported and changes nothing`,
    })),
  ]
}

function placeOf(dockerfile: Dockerfile, line: number): Place {
  return { file: dockerfile.file, line }
}
