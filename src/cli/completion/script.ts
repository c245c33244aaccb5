import type { Flags } from '../args/flags.ts'
import { globalFlags } from '../globals.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly flags: Flags
}

/** A script of words that are known when it is written: completing runs no program of ours, so it costs nothing. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash, zsh, fish }[shell](commands)
}

const words = (commands: readonly CompletedCommand[]) =>
  [...new Set(commands.map((one) => one.name.split(' ')[0] ?? ''))].join(' ')
const members = (group: string, commands: readonly CompletedCommand[]) =>
  commands.filter((one) => one.name.startsWith(`${group} `)).map((one) => one.name.split(' ')[1] ?? '')
const groups = (commands: readonly CompletedCommand[]) => [
  ...new Set(commands.filter((one) => one.name.includes(' ')).map((one) => one.name.split(' ')[0] ?? '')),
]
const flagWords = (flags: Flags) =>
  Object.keys({ ...flags, ...globalFlags })
    .map((name) => `--${name}`)
    .join(' ')

function bash(commands: readonly CompletedCommand[]): string {
  const cases = commands.map((one) => `    '${one.name}') flags='${flagWords(one.flags)}' ;;\n`).join('')
  const seconds = groups(commands)
    .map((group) => `    ${group}) words='${members(group, commands).join(' ')}' ;;\n`)
    .join('')
  return `# bash completion for glovebox
_glovebox() {
  local word=\${COMP_WORDS[COMP_CWORD]} first=\${COMP_WORDS[1]} second=\${COMP_WORDS[2]} flags='' words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${words(commands)} help' -- "$word"))
    return
  fi
  case $first in
${seconds}  esac
  if [ "$COMP_CWORD" -eq 2 ] && [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  local name=$first
  [ -z "$words" ] || case " $words " in *" $second "*) name="$first $second" ;; esac
  case $name in
${cases}  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -F _glovebox glovebox
`
}

function zsh(commands: readonly CompletedCommand[]): string {
  return `#compdef glovebox
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`
}

function fish(commands: readonly CompletedCommand[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = commands.flatMap((one) => {
    const [first = '', second] = one.name.split(' ')
    const seen =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`
    const offer =
      second === undefined
        ? `complete -c glovebox -n __fish_use_subcommand -a ${first} -d ${quote(one.summary)}`
        : `complete -c glovebox -n '__fish_seen_subcommand_from ${first}' -a ${second} -d ${quote(one.summary)}`
    const flags = Object.entries({ ...one.flags, ...globalFlags }).map(
      ([name, flag]) =>
        `complete -c glovebox -n '${seen}' -l ${name}${flag.short === undefined ? '' : ` -s ${flag.short}`}${flag.kind === 'boolean' ? '' : ' -r'} -d ${quote(flag.help)}`,
    )
    return [offer, ...flags]
  })
  const groupLines = groups(commands).map((group) => `complete -c glovebox -n __fish_use_subcommand -a ${group}`)
  return `# fish completion for glovebox\n${[...groupLines, ...lines].join('\n')}\n`
}
