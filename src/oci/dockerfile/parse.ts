import { readDirectives } from './directives.ts'
import { refuse } from './place.ts'
import { readHeredocs } from './heredoc.ts'
import { parseInstruction } from './instructions.ts'
import { MAX_DOCKERFILE_LENGTH, MAX_INSTRUCTIONS } from './limits.ts'
import { lineReader, type LineReader, type LogicalLine } from './lines.ts'
import type { Statement } from './statement.ts'
import type { Dockerfile, DockerfileWarning, EscapeCharacter, Instruction } from './tree.ts'
import { isJsonArray, takeFlags } from './words.ts'

export interface ParseOptions {
  /** The name that error messages show. */
  readonly file?: string
}

/** Reads a Dockerfile. Throws `dockerfile.*` with file, line and what to write instead; never anything else. */
export function parseDockerfile(text: string, options: ParseOptions = {}): Dockerfile {
  const file = options.file ?? 'Dockerfile'
  if (text.length > MAX_DOCKERFILE_LENGTH)
    throw refuse(
      { file, line: 1 },
      `the file has ${text.length} characters, more than ${MAX_DOCKERFILE_LENGTH}`,
      'Copy large content in from a file instead of a here-document.',
      'dockerfile.too_large',
    )
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const directives = readDirectives(lines, file)
  const { lineCount, ...settings } = directives
  const { instructions, warnings } = readInstructions(lineReader(lines, directives.escape, lineCount), directives.escape, file)
  if (instructions.length === 0)
    throw refuse({ file, line: 1 }, 'the file has no instructions', 'Begin with FROM.', 'dockerfile.empty')
  return { file, ...settings, instructions, warnings }
}

/** Reads what an image keeps of `ONBUILD`: one instruction, with the bodies of its here-documents. */
export function parseTrigger(trigger: string, file: string): Instruction {
  const { instructions } = readInstructions(lineReader(trigger.split(/\r?\n/), '\\'), '\\', file)
  const [instruction, second] = instructions
  if (instruction === undefined || second !== undefined)
    throw refuse({ file, line: 1 }, `the ONBUILD trigger ${JSON.stringify(trigger.slice(0, 80))} is not one instruction`)
  if (instruction.kind === 'onbuild' || instruction.kind === 'from' || instruction.kind === 'maintainer')
    throw refuse({ file, line: 1 }, `an ONBUILD trigger cannot be ${instruction.kind.toUpperCase()}`)
  return instruction
}

function readInstructions(reader: LineReader, escape: EscapeCharacter, file: string) {
  const instructions: Instruction[] = []
  const warnings: DockerfileWarning[] = []
  for (let line = reader.nextLogical(); line !== undefined; line = reader.nextLogical()) {
    const place = { file, line: line.first }
    if (line.text === '') continue
    if (instructions.length >= MAX_INSTRUCTIONS)
      throw refuse(
        place,
        `the file has more than ${MAX_INSTRUCTIONS} instructions`,
        'Join steps into one.',
        'dockerfile.too_large',
      )
    if (line.hasEmptyContinuation)
      warnings.push({
        place,
        check: 'NoEmptyContinuation',
        message: 'an empty line stands inside a continued instruction; remove it or make it a comment',
      })
    instructions.push(parseInstruction(statementOf(line, reader, escape, file)))
  }
  return { instructions, warnings }
}

function statementOf(line: LogicalLine, reader: LineReader, escape: EscapeCharacter, file: string): Statement {
  const place = { file, line: line.first }
  const [, keyword = '', body = ''] = /^(\S+)\s*([^]*)$/.exec(line.text) ?? []
  const name = keyword.toLowerCase()
  const heredocs = opensHeredocs(name, body, escape) ? readHeredocs(body, reader, escape, place) : []
  return {
    name,
    body,
    heredocs,
    escape,
    place,
    lines: { first: line.first, last: reader.taken() },
    source: line.text,
    comment: line.comment,
  }
}

function opensHeredocs(name: string, body: string, escape: EscapeCharacter): boolean {
  if (name === 'onbuild') {
    const [, inner = '', rest = ''] = /^(\S+)\s*([^]*)$/.exec(body) ?? []
    return inner.toLowerCase() !== 'onbuild' && opensHeredocs(inner.toLowerCase(), rest, escape)
  }
  if (name !== 'run' && name !== 'copy' && name !== 'add') return false
  return !isJsonArray(takeFlags(body, escape).rest)
}
