import { type Flags, placeholderOf } from './args/flags.ts'
import { type Command, GROUPS } from './command.ts'
import { globalFlags } from './globals.ts'
import { type Paint } from './output/colour.ts'
import { pad, wrap } from './output/table.ts'
import { commandTable } from './table.ts'

/** `glovebox help`. */
export function overview(paint: Paint): string {
  const width = Math.max(...commandTable.map((entry) => entry.name.length))
  const groups = GROUPS.map((group) => {
    const lines = commandTable
      .filter((entry) => entry.group === group)
      .map((entry) => `  ${pad(entry.name, width, 'left')}   ${entry.summary}\n`)
    return `\n${paint('bold', group)}\n${lines.join('')}`
  })
  return [
    'Glovebox runs containers, and the applications made of them.\n\n',
    `${paint('bold', 'Usage')}  glovebox COMMAND [FLAGS] [ARGUMENTS]\n`,
    ...groups,
    `\n${paint('bold', 'Flags for every command')}\n`,
    flagLines(globalFlags),
    '\nRun `glovebox COMMAND --help` for one command. Exit codes: 0 done, 1 failed, 2 wrong usage,\n3 no daemon, 130 interrupted; run and exec: those of the process, 125, 126 and 127 as with docker.\n',
  ].join('')
}

export function groupHelp(name: string, paint: Paint): string {
  // One line each, also for those that have several such names.
  const members = commandTable.flatMap((entry) => {
    const own = [entry.name, ...entry.aliases].find((word) => word.startsWith(`${name} `))
    return own === undefined ? [] : [{ own, summary: entry.summary }]
  })
  const width = Math.max(...members.map(({ own }) => own.length))
  const lines = members.map(({ own, summary }) => `  glovebox ${pad(own, width, 'left')}   ${summary}\n`)
  return `${paint('bold', 'Usage')}  glovebox ${name} COMMAND\n\n${lines.join('')}`
}

export function commandHelp(command: Command, paint: Paint): string {
  const aliases = commandTable.find((entry) => entry.name === command.name)?.aliases ?? []
  const also =
    aliases.length === 0 ? '' : `\n${paint('bold', 'Also')}   ${aliases.map((name) => `glovebox ${name}`).join(', ')}\n`
  const usage = `${paint('bold', 'Usage')}  glovebox ${command.name} ${command.usage}`.trimEnd()
  const about = [command.summary, ...(command.description?.split('\n\n') ?? [])]
    .map((text) => wrap(text, 100).join('\n'))
    .join('\n\n')
  const own = Object.keys(command.flags).length === 0 ? '' : `\n${paint('bold', 'Flags')}\n${flagLines(command.flags)}`
  const examples = command.examples.map(([line, what]) => `  ${paint('dim', `# ${what}`)}\n  glovebox ${line}\n`).join('\n')
  const shown = examples === '' ? '' : `\n${paint('bold', 'Examples')}\n${examples}`
  return `${usage}\n${also}\n${about}\n${own}${shown}\n${paint('bold', 'Flags for every command')}\n${flagLines(globalFlags)}`
}

function flagLines(flags: Flags): string {
  const shown = Object.entries(flags).filter(([, flag]) => flag.kind !== 'refused')
  if (shown.length === 0) return ''
  const heads = shown.map(([name, flag]) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `
    const value = placeholderOf(flag)
    return [`  ${short}--${name}${value.startsWith('[') ? '' : ' '}${value}`.trimEnd(), flag.help] as const
  })
  const width = Math.min(36, Math.max(...heads.map(([head]) => head.length)))
  return heads.map(([head, help]) => flagLine(head, help, width)).join('')
}

function flagLine(head: string, help: string, width: number): string {
  const [first = '', ...rest] = wrap(help, 70)
  const indent = ' '.repeat(width + 3)
  const start = head.length > width ? `${head}\n${indent}${first}` : `${pad(head, width, 'left')}   ${first}`
  return [start, ...rest.map((line) => indent + line)].map((line) => `${line}\n`).join('')
}
