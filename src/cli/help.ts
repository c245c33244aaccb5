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
    '\nRun `glovebox COMMAND --help` for one command. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no daemon.\n',
  ].join('')
}

export function groupHelp(name: string, paint: Paint): string {
  const members = commandTable.filter((entry) => entry.name.startsWith(`${name} `))
  const width = Math.max(...members.map((entry) => entry.name.length))
  const lines = members.map((entry) => `  glovebox ${pad(entry.name, width, 'left')}   ${entry.summary}\n`)
  return `${paint('bold', 'Usage')}  glovebox ${name} COMMAND\n\n${lines.join('')}`
}

export function commandHelp(command: Command, paint: Paint): string {
  const usage = `${paint('bold', 'Usage')}  glovebox ${command.name} ${command.usage}`.trimEnd()
  const about = [command.summary, ...(command.description?.split('\n\n') ?? [])]
    .map((text) => wrap(text, 100).join('\n'))
    .join('\n\n')
  const own = Object.keys(command.flags).length === 0 ? '' : `\n${paint('bold', 'Flags')}\n${flagLines(command.flags)}`
  const examples = command.examples.map(([line, what]) => `  ${paint('dim', `# ${what}`)}\n  glovebox ${line}\n`).join('\n')
  const shown = examples === '' ? '' : `\n${paint('bold', 'Examples')}\n${examples}`
  return `${usage}\n\n${about}\n${own}${shown}\n${paint('bold', 'Flags for every command')}\n${flagLines(globalFlags)}`
}

function flagLines(flags: Flags): string {
  const heads = Object.entries(flags).map(([name, flag]) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `
    return [`  ${short}--${name} ${placeholderOf(flag)}`.trimEnd(), flag.help] as const
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
