import { refuse, shown } from './place.ts'
import { required, type Arguments } from './statement.ts'
import type {
  ArgInstruction,
  Assignment,
  EnvInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  ShellInstruction,
  VolumeInstruction,
} from './tree.ts'
import { commandLine, jsonArray, splitWords } from './words.ts'

export function parseArg(args: Arguments): ArgInstruction {
  const list = splitWords(required(args), args.escape).map((word) => {
    const equals = word.indexOf('=')
    if (equals === 0) throw refuse(args.place, `ARG: ${shown(word)} has no name`, 'Write ARG NAME or ARG NAME=DEFAULT.')
    return equals < 0 ? { name: word, value: undefined } : { name: word.slice(0, equals), value: word.slice(equals + 1) }
  })
  return { kind: 'arg', ...args.located, args: list, comment: args.comment }
}

export function parseEnv(args: Arguments): EnvInstruction {
  return { kind: 'env', ...args.located, ...assignments(args) }
}

export function parseLabel(args: Arguments): LabelInstruction {
  return { kind: 'label', ...args.located, ...assignments(args) }
}

/** `NAME=value …`, or the older `NAME value with spaces`, told apart by the first word. */
function assignments(args: Arguments): { pairs: readonly Assignment[]; isLegacy: boolean } {
  const words = splitWords(required(args), args.escape)
  if (words[0]?.includes('=') === true) return { pairs: words.map((word) => assignment(word, args)), isLegacy: false }
  const [, name, value] = /^(\S+)\s+([^]+)$/.exec(args.rest) ?? []
  if (name === undefined || value === undefined)
    throw refuse(args.place, `${args.keyword} ${shown(args.rest)} has no value`, `Write ${args.keyword} NAME=VALUE.`)
  return { pairs: [{ name, value }], isLegacy: true }
}

function assignment(word: string, args: Arguments): Assignment {
  const equals = word.indexOf('=')
  if (equals < 0)
    throw refuse(args.place, `${args.keyword}: ${shown(word)} is not NAME=VALUE`, 'Put quotes around a value that holds spaces.')
  if (equals === 0) throw refuse(args.place, `${args.keyword}: ${shown(word)} has no name`, `Write ${args.keyword} NAME=VALUE.`)
  return { name: word.slice(0, equals), value: word.slice(equals + 1) }
}

export function parseExpose(args: Arguments): ExposeInstruction {
  return { kind: 'expose', ...args.located, ports: splitWords(required(args), args.escape) }
}

export function parseVolume(args: Arguments): VolumeInstruction {
  const paths = jsonArray(required(args), args.place) ?? splitWords(args.rest, args.escape)
  if (paths.length === 0 || paths.includes('')) throw refuse(args.place, 'VOLUME needs paths that are not empty')
  return { kind: 'volume', ...args.located, paths }
}

export function parseShell(args: Arguments): ShellInstruction {
  const words = jsonArray(args.rest, args.place)
  if (words === undefined || words.length === 0)
    throw refuse(args.place, `SHELL cannot read ${shown(args.rest)}`, 'Write it in JSON form, such as SHELL ["/bin/bash", "-c"].')
  return { kind: 'shell', ...args.located, args: words }
}

export function parseHealthcheck(args: Arguments): HealthcheckInstruction {
  const { flags, place } = args
  const timing = {
    intervalMs: flags.durationMs('interval'),
    timeoutMs: flags.durationMs('timeout'),
    startPeriodMs: flags.durationMs('start-period'),
    startIntervalMs: flags.durationMs('start-interval'),
    retries: retriesOf(flags.text('retries'), args),
  }
  const [, keyword = '', command = ''] = /^(\S+)\s*([^]*)$/.exec(required(args)) ?? []
  if (keyword.toUpperCase() === 'NONE' && command === '') return { kind: 'healthcheck', ...args.located, probe: undefined }
  if (keyword.toUpperCase() !== 'CMD' || command === '')
    throw refuse(place, `HEALTHCHECK cannot read ${shown(args.rest)}`, 'Write HEALTHCHECK CMD COMMAND or HEALTHCHECK NONE.')
  return { kind: 'healthcheck', ...args.located, probe: { command: commandLine(command, place), ...timing } }
}

function retriesOf(text: string | undefined, args: Arguments): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,6}$/.test(text))
    throw refuse(args.place, `HEALTHCHECK --retries: ${shown(text)} is not a number`, 'Write a whole number.')
  return Number(text)
}
