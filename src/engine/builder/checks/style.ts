import type { Instruction } from '#oci/dockerfile'

import { placeAt, type Check, type CheckFinding, type CheckInput } from './finding.ts'

/** Checks of one instruction at a time, and of the case of all. */
export const STYLE_CHECKS: readonly Check[] = [casing, perInstruction]

function keywordOf(instruction: Instruction): string {
  return /^\S+/.exec(instruction.source)?.[0] ?? ''
}

const isUpper = (text: string) => text === text.toUpperCase()
const isLower = (text: string) => text === text.toLowerCase()

/** The case that most instructions have is the file's; a mixed one is never right. */
function* casing(input: CheckInput): Generator<CheckFinding> {
  const { instructions } = input.dockerfile
  const keywords = instructions.map(keywordOf)
  const lower = keywords.filter(isLower).length
  const isLowerFile = lower > keywords.filter(isUpper).length
  for (const [index, keyword] of keywords.entries()) {
    if (isLowerFile ? isLower(keyword) : isUpper(keyword)) continue
    const message = `the instruction ${keyword} should be in ${isLowerFile ? 'lower' : 'upper'} case, as most in this file are`
    yield { check: 'ConsistentInstructionCasing', place: placeAt(input, instructions[index]?.lines.first ?? 1), message }
  }
}

function* perInstruction(input: CheckInput): Generator<CheckFinding> {
  for (const instruction of input.dockerfile.instructions) {
    const place = placeAt(input, instruction.lines.first)
    for (const { check, message } of found(instruction)) yield { check, place, message }
  }
}

function found(instruction: Instruction): readonly Omit<CheckFinding, 'place'>[] {
  switch (instruction.kind) {
    case 'maintainer':
      return [
        { check: 'MaintainerDeprecated', message: 'MAINTAINER is deprecated; write LABEL org.opencontainers.image.authors=' },
      ]
    case 'env':
    case 'label':
      return [...legacy(instruction), ...(instruction.kind === 'env' ? secrets('ENV', instruction.pairs) : [])]
    case 'arg':
      return [
        ...secrets('ARG', instruction.args),
        ...description(
          instruction.args.map(({ name }) => name),
          instruction.comment,
        ),
      ]
    case 'from':
      return description(instruction.stage === undefined ? [] : [instruction.stage], instruction.comment)
    case 'expose':
      return instruction.ports.flatMap(exposed)
    case 'add':
    case 'cmd':
    case 'copy':
    case 'entrypoint':
    case 'healthcheck':
    case 'onbuild':
    case 'run':
    case 'shell':
    case 'stopsignal':
    case 'user':
    case 'volume':
    case 'workdir':
      return []
  }
}

function legacy(instruction: Extract<Instruction, { kind: 'env' | 'label' }>): Omit<CheckFinding, 'place'>[] {
  if (!instruction.isLegacy) return []
  const keyword = instruction.kind.toUpperCase()
  return [{ check: 'LegacyKeyValueFormat', message: `write ${keyword} NAME=VALUE instead of the older ${keyword} NAME VALUE` }]
}

const SECRET = /(?:^|_)(?:apikey|auth|credentials?|key|password|passwd|pword|secret|token)(?:_|$)/i
const PUBLIC = /(?:^|_)public(?:_|$)/i

function secrets(keyword: string, named: readonly { readonly name: string }[]): Omit<CheckFinding, 'place'>[] {
  return named
    .filter(({ name }) => SECRET.test(name) && !PUBLIC.test(name))
    .map(({ name }) => ({
      check: 'SecretsUsedInArgOrEnv',
      message: `${keyword} ${name} looks secret, and the image shows it to everybody; use RUN --mount=type=secret`,
    }))
}

/** The last comment above a definition describes it when it begins with its name. */
function description(names: readonly string[], comment: string | undefined): Omit<CheckFinding, 'place'>[] {
  if (comment === undefined || names.length === 0 || names.includes(comment.split(' ', 1)[0] ?? '')) return []
  const [name = ''] = names
  const message = `the comment above describes ${name} only when it begins with that name; else leave an empty line between`
  return [{ check: 'InvalidDefinitionDescription', message }]
}

const VARIABLE = /\$/
const PORTS = /^\d+(?:-\d+)?$/

function exposed(port: string): Omit<CheckFinding, 'place'>[] {
  if (VARIABLE.test(port)) return []
  const [ports = '', protocol = ''] = port.split('/', 2)
  const findings: Omit<CheckFinding, 'place'>[] = []
  if (!isLower(protocol))
    findings.push({ check: 'ExposeProtoCasing', message: `the protocol ${protocol} of ${port} should be in lower case` })
  if (!PORTS.test(ports))
    findings.push({
      check: 'ExposeInvalidFormat',
      message: `${port} should name container ports alone, without an address or a port of the host`,
    })
  return findings
}
