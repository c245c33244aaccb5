import { refuse, shown } from './place.ts'
import { parseAdd, parseCopy } from './copy-instructions.ts'
import { flagReader, mountFlag } from './flags.ts'
import {
  parseArg,
  parseEnv,
  parseExpose,
  parseHealthcheck,
  parseLabel,
  parseShell,
  parseVolume,
} from './metadata-instructions.ts'
import { required, type Arguments, type Statement } from './statement.ts'
import type { FromInstruction, Instruction, OnbuildInstruction, RunInstruction } from './tree.ts'
import { commandLine, splitWords, takeFlags } from './words.ts'

type Parse = (args: Arguments) => Instruction

const PARSERS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['from', parseFrom],
  ['arg', parseArg],
  ['run', parseRun],
  ['copy', parseCopy],
  ['add', parseAdd],
  ['cmd', (args) => ({ kind: 'cmd', ...args.located, command: commandLine(args.rest, args.place) })],
  ['entrypoint', (args) => ({ kind: 'entrypoint', ...args.located, command: commandLine(args.rest, args.place) })],
  ['env', parseEnv],
  ['label', parseLabel],
  ['expose', parseExpose],
  ['volume', parseVolume],
  ['user', (args) => ({ kind: 'user', ...args.located, user: required(args) })],
  ['workdir', (args) => ({ kind: 'workdir', ...args.located, path: required(args) })],
  ['stopsignal', (args) => ({ kind: 'stopsignal', ...args.located, signal: required(args) })],
  ['shell', parseShell],
  ['healthcheck', parseHealthcheck],
  ['onbuild', parseOnbuild],
  ['maintainer', (args) => ({ kind: 'maintainer', ...args.located, name: required(args) })],
])

export function parseInstruction(statement: Statement): Instruction {
  const parse = PARSERS.get(statement.name)
  const keyword = statement.name.toUpperCase()
  if (parse === undefined)
    throw refuse(
      statement.place,
      `unknown instruction ${shown(keyword)}`,
      `Known: ${[...PARSERS.keys()].map((name) => name.toUpperCase()).join(', ')}.`,
      'dockerfile.unknown_instruction',
    )
  const { flags, rest } = takeFlags(statement.body, statement.escape)
  const reader = flagReader(flags, keyword, statement.place)
  const located = { lines: statement.lines, source: statement.source }
  const instruction = parse({ ...statement, keyword, flags: reader, rest, located })
  if (statement.name !== 'onbuild') reader.finish()
  return instruction
}

const STAGE_NAME = /^[a-z][a-z0-9._-]*$/

function parseFrom(args: Arguments): FromInstruction {
  const platform = args.flags.text('platform')
  const [image, as, name, ...more] = splitWords(required(args), args.escape)
  const isWellFormed =
    image !== undefined && more.length === 0 && (as === undefined || (as.toLowerCase() === 'as' && name !== undefined))
  if (!isWellFormed) throw refuse(args.place, `FROM cannot read ${shown(args.rest)}`, 'Write FROM IMAGE or FROM IMAGE AS STAGE.')
  const stage = name?.toLowerCase()
  if (stage !== undefined && !STAGE_NAME.test(stage))
    throw refuse(
      args.place,
      `the stage name ${shown(name ?? '')} is not valid`,
      'Begin with a letter; go on with letters, digits, dots, dashes and underscores.',
    )
  return { kind: 'from', ...args.located, image, platform, stage, comment: args.comment }
}

function parseRun(args: Arguments): RunInstruction {
  const { flags, place } = args
  const instruction: RunInstruction = {
    kind: 'run',
    ...args.located,
    mounts: flags.all('mount').map((text) => mountFlag(text, place)),
    network: flags.text('network'),
    security: flags.text('security'),
    devices: flags.all('device'),
    command: commandLine(required(args), place),
    heredocs: args.heredocs,
  }
  if (instruction.network !== undefined && !['default', 'none', 'host'].includes(instruction.network))
    throw refuse(place, `RUN --network: ${shown(instruction.network)} is not known`, 'Write default, none or host.')
  if (instruction.security !== undefined && !['sandbox', 'insecure'].includes(instruction.security))
    throw refuse(place, `RUN --security: ${shown(instruction.security)} is not known`, 'Write sandbox or insecure.')
  return instruction
}

const NOT_TRIGGERS: ReadonlySet<string> = new Set(['onbuild', 'from', 'maintainer'])

function parseOnbuild(args: Arguments): OnbuildInstruction {
  const [, keyword = '', body = ''] = /^(\S+)\s*([^]*)$/.exec(args.body) ?? []
  const name = keyword.toLowerCase()
  if (name === '') throw refuse(args.place, 'ONBUILD needs an instruction')
  if (NOT_TRIGGERS.has(name)) throw refuse(args.place, `ONBUILD cannot hold ${name.toUpperCase()}`)
  parseInstruction({ ...args, name, body, source: args.body })
  const trigger = [args.body, ...args.heredocs.map((heredoc) => heredoc.source)].join('\n')
  return { kind: 'onbuild', ...args.located, trigger }
}
