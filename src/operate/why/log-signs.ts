import type { Ending, Explanation } from './ending.ts'
import type { DiagnosisCode } from './diagnosis.ts'
import type { ContainerFacts, MountFacts } from './facts.ts'
import { binary, quoted } from './words.ts'

/** What programs of all kinds write when something of the system is in their way, in the words of the C library. */
interface Sign {
  readonly pattern: RegExp
  readonly code: DiagnosisCode
  readonly isMeant: (container: ContainerFacts) => boolean
  readonly what: (line: string, container: ContainerFacts) => string
  readonly advice: string
}

const SIGNS: readonly Sign[] = [
  {
    pattern: /exec format error|cannot execute binary file/i,
    code: 'end.wrong_architecture',
    isMeant: () => true,
    what: (line) => {
      // As the OCI runtime says it of the command itself.
      const command = /exec container process `([^`]+)`/.exec(line)?.[1]
      return command === undefined
        ? 'ended because a program that it runs is not for this kind of processor'
        : `cannot run: ${command} is no program for this kind of processor`
    },
    advice: 'Use an image for this platform, or build that program for it.',
  },
  {
    pattern: /exec container process (?:\([^)]*\) )?`[^`]+`: No such file or directory/,
    code: 'end.command_not_found',
    isMeant: () => true,
    what: (line) =>
      `cannot run: ${/`([^`]+)`/.exec(line)?.[1] ?? 'its command'} is there, but not the interpreter or library that it needs`,
    advice:
      'For a script see its first line: that program has to be in the image; for a program build it statically, or for this image.',
  },
  {
    pattern: /read-only file system/i,
    code: 'end.read_only',
    isMeant: ({ isReadOnlyRoot, mounts }) => isReadOnlyRoot || mounts.length > 0,
    what: (line, { isReadOnlyRoot }) =>
      `ended because it writes where it may only read${isReadOnlyRoot ? ': its root file system is read-only' : ''}${pathIn(line)}`,
    advice: 'Give it a volume or a tmpfs where it writes (`--tmpfs /tmp`, `tmpfs:`), or take `read_only` away.',
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    code: 'end.disk_full',
    isMeant: () => true,
    what: (line, container) => {
      const full = fullMount(container) ?? mountOf(line, container)
      return full === undefined
        ? 'ended because a disk that it writes to is full'
        : `ended because ${full.type === 'volume' ? 'the volume ' : ''}${full.source} at ${full.target} is full`
    },
    advice: 'Make room there: `glovebox system df` shows what takes it, `glovebox system prune` removes what nothing uses.',
  },
  {
    pattern: /address (?:already )?in use|EADDRINUSE/i,
    code: 'end.port_in_use',
    isMeant: () => true,
    what: () => 'ended because the port that it wants to listen on is in use inside its own network',
    advice: 'Two of its processes, or containers that share its network, want the same port: give one another.',
  },
  {
    pattern:
      /(?:bad address|could not resolve(?: host)?|unknown host|name or service not known|temporary failure in name resolution|ENOTFOUND|EAI_AGAIN|no such host|can't resolve|could not translate host name)/i,
    code: 'end.name_unknown',
    isMeant: () => true,
    what: (line) => `ended because it does not find a host by its name${nameIn(line)}`,
    advice:
      'Names of services are answered to those who share a network with them: see the spelling and `networks:`; `glovebox network services` lists them.',
  },
]

/** From the last lines of its log. Null: they have no known sign. */
export function explainByLog(ending: Ending): Explanation | null {
  const { container, exitCode } = ending
  if (container === undefined) return null
  for (const line of container.lastLines.toReversed())
    for (const { pattern, code, isMeant, what, advice } of SIGNS)
      if (pattern.test(line) && isMeant(container))
        return {
          code,
          what: what(line, container),
          evidence: [`log: ${quoted(line)}`, `exit code ${exitCode ?? 'unknown'}`, ...fullLines(code, container)],
          advice,
        }
  return null
}

function fullLines(code: DiagnosisCode, container: ContainerFacts): readonly string[] {
  const full = code === 'end.disk_full' ? fullMount(container) : undefined
  if (full === undefined) return []
  return [`${full.source} at ${full.target}: ${binary(full.availableBytes ?? 0)} of ${binary(full.totalBytes ?? 0)} left`]
}

/** Below this a file system counts as full: one block of the kernel's, and some. */
const FULL_BYTES = 64 * 1024

export function fullMount({ mounts }: Pick<ContainerFacts, 'mounts'>): MountFacts | undefined {
  return mounts.find(
    ({ availableBytes, totalBytes }) => availableBytes !== null && (totalBytes ?? 0) > 0 && availableBytes < FULL_BYTES,
  )
}

/** The one that a path in the line is on, the innermost first. */
function mountOf(line: string, { mounts }: ContainerFacts): MountFacts | undefined {
  return mounts
    .filter(({ target }) => target !== '' && line.includes(`${target}/`))
    .toSorted((a, b) => b.target.length - a.target.length)[0]
}

function pathIn(line: string): string {
  const path = /(\/[\w./-]+)/.exec(line)?.[1]
  return path === undefined ? '' : ` (${path})`
}

function nameIn(line: string): string {
  const name =
    /['"`‘]([\w.-]+)['"`’]|ENOTFOUND ([\w.-]+)|EAI_AGAIN ([\w.-]+)|lookup ([\w.-]+)|resolve host:? ([\w.-]+)|host:? ([\w.-]+)$/i.exec(
      line,
    )
  const found = name?.slice(1).find((part) => part !== undefined)
  return found === undefined ? '' : ` (${found})`
}
