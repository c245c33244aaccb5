import { parsePlatform } from '#oci/image'
import type { Instruction } from '#oci/dockerfile'

import { findStage, type StageSource } from '../stages.ts'
import { placeAt, type Check, type CheckFinding, type CheckInput } from './finding.ts'

/** Checks of stages: their names and platforms, and what may stand in each once. */
export const STAGE_CHECKS: readonly Check[] = [names, platforms, once, jsonForm, relativeWorkdir, ignoredFiles]

const RESERVED: ReadonlySet<string> = new Set(['scratch', 'context'])

function* names(input: CheckInput): Generator<CheckFinding> {
  const seen = new Set<string>()
  for (const { from } of input.stages) {
    const place = placeAt(input, from.lines.first)
    const [, keyword = '', as = '', written = ''] = /^(\S+)[^]*?\s([aA][sS])\s+(\S+)\s*$/.exec(from.source) ?? []
    if (from.stage === undefined) continue
    if (written !== from.stage)
      yield { check: 'StageNameCasing', place, message: `the stage name ${written} should be in lower case` }
    if ((as === as.toUpperCase()) !== (keyword === keyword.toUpperCase()))
      yield { check: 'FromAsCasing', place, message: `${as} and ${keyword} differ in case` }
    if (seen.has(from.stage))
      yield {
        check: 'DuplicateStageName',
        place,
        message: `there is a stage named ${from.stage} above; stages below mean this one`,
      }
    if (RESERVED.has(from.stage))
      yield { check: 'ReservedStageName', place, message: `the stage name ${from.stage} means something else; choose another` }
    seen.add(from.stage)
  }
}

function* platforms(input: CheckInput): Generator<CheckFinding> {
  for (const { from } of input.stages) {
    const { platform } = from
    const place = placeAt(input, from.lines.first)
    if (platform === undefined) continue
    if (/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform))
      yield { check: 'RedundantTargetPlatform', place, message: `--platform=${platform} holds anyway; leave it out` }
    else if (!platform.includes('$') && !namesPlatform(from.stage, platform))
      yield {
        check: 'FromPlatformFlagConstDisallowed',
        place,
        message: `--platform=${platform} is a constant; use $BUILDPLATFORM, or give the platform when building`,
      }
  }
}

/** A stage that is for one platform and says so in its name may be fixed to it. */
function namesPlatform(stage: string | undefined, platform: string): boolean {
  if (stage === undefined) return false
  const { os, architecture } = parsePlatform(platform)
  return stage.includes(os) || stage.includes(architecture)
}

const ONCE: ReadonlySet<string> = new Set(['cmd', 'entrypoint', 'healthcheck'])

function* once(input: CheckInput): Generator<CheckFinding> {
  for (const { instructions } of input.stages)
    for (const [index, { kind, lines }] of instructions.entries()) {
      if (!ONCE.has(kind) || !instructions.slice(index + 1).some((later) => later.kind === kind)) continue
      const message = `another ${kind.toUpperCase()} follows in this stage, and only the last one counts`
      yield { check: 'MultipleInstructionsDisallowed', place: placeAt(input, lines.first), message }
    }
}

function* jsonForm(input: CheckInput): Generator<CheckFinding> {
  for (const stage of input.stages) {
    if (lineage(input, stage).some(({ instructions }) => instructions.some(({ kind }) => kind === 'shell'))) continue
    for (const instruction of stage.instructions) {
      if ((instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') || instruction.command.form === 'exec') continue
      const keyword = instruction.kind.toUpperCase()
      const message = `${keyword} runs a shell, which does not pass signals on; write ${keyword} ["program", "argument"]`
      yield { check: 'JSONArgsRecommended', place: placeAt(input, instruction.lines.first), message }
    }
  }
}

/** The stage and those that it stands on. */
function lineage(input: CheckInput, stage: StageSource): readonly StageSource[] {
  const base = findStage(input.stages, stage.from.image, stage.index)
  return base === undefined ? [stage] : [stage, ...lineage(input, base)]
}

function* relativeWorkdir(input: CheckInput): Generator<CheckFinding> {
  const isKnown = new Map<number, boolean>()
  for (const stage of input.stages) {
    const base = findStage(input.stages, stage.from.image, stage.index)
    let hasAbsolute = (base !== undefined && isKnown.get(base.index) === true) || stage.from.image === 'scratch'
    for (const instruction of stage.instructions) {
      if (instruction.kind !== 'workdir') continue
      if (/^["']?[/$]/.test(instruction.path)) hasAbsolute = true
      else if (!hasAbsolute) {
        const message = `WORKDIR ${instruction.path} depends on the base image; begin with an absolute path`
        yield { check: 'WorkdirRelativePath', place: placeAt(input, instruction.lines.first), message }
      }
    }
    isKnown.set(stage.index, hasAbsolute)
  }
}

function* ignoredFiles(input: CheckInput): Generator<CheckFinding> {
  for (const { instructions } of input.stages)
    for (const instruction of instructions)
      for (const path of contextPaths(instruction)) {
        if (!input.isIgnored(path)) continue
        const message = `${instruction.kind.toUpperCase()} names ${path}, which the ignore file leaves out`
        yield { check: 'CopyIgnoredFile', place: placeAt(input, instruction.lines.first), message }
      }
}

/** Plain paths that an instruction takes from the context: neither globs, nor variables, nor addresses. */
function contextPaths(instruction: Instruction): readonly string[] {
  if (instruction.kind !== 'add' && instruction.kind !== 'copy') return []
  if (instruction.kind === 'copy' && instruction.from !== undefined) return []
  return instruction.sources
    .flatMap((source) => (source.kind === 'path' ? [source.path] : []))
    .filter((path) => !/[$*?[\\]|:/.test(path))
    .map((path) => path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, ''))
    .filter((path) => path !== '' && path !== '.')
}
