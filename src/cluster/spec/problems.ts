import { childOf, type SourceNode, type Spot } from './source-node.ts'

/** One thing wrong with the user's file. */
export interface Problem {
  /** As the user named it; empty when it is not about a file. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A file with this many problems is not read by anybody to the end. */
const MAX_PROBLEMS = 100

/** Gathers every problem, so that the user sees all of them at once. */
export interface Problems {
  /** Gives nothing, for those who then give nothing either. */
  addAt(spot: Spot, message: string): undefined
  /** File by file, those of `first` before the others, each from top to bottom. */
  list(first?: readonly string[]): readonly Problem[]
}

/** Places as JSON pointers into one tree of values. */
export interface Complaints {
  /** At most one for each place: the first reader that complains knows best. */
  add(at: string, message: string): void
}

export function gatherProblems(): Problems & { in(root: SourceNode): Complaints } {
  const found = new Map<string, Problem>()
  const put = (key: string, { origin, line, column }: Spot, message: string): undefined => {
    if (!found.has(key) && found.size < MAX_PROBLEMS) found.set(key, { file: origin.file, line, column, message })
  }
  const keyOf = ({ origin, line, column }: Spot, missing: string) => [origin.file, line, column, missing].join('\n')
  return {
    addAt: (spot, message) => put(keyOf(spot, ''), spot, message),
    in: (root) => ({
      add: (at, message) => {
        const { node, missing } = nearest(root, at)
        put(keyOf(node.spot, missing), node.spot, `${subjectOf(at)}${message}`)
      },
    }),
    list: (first = []) => {
      const problems = [...found.values()]
      const files = [...new Set([...first, ...problems.map(({ file }) => file)])]
      return problems.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column)
    },
  }
}

/** The value at a pointer, or its nearest parent that is there and what is missing below it. */
function nearest(root: SourceNode, at: string): { readonly node: SourceNode; readonly missing: string } {
  let node = root
  const parts = splitPointer(at)
  for (const [index, part] of parts.entries()) {
    const child = childOf(node, part)
    if (child === undefined) return { node, missing: parts.slice(index).join('/') }
    node = child
  }
  return { node, missing: '' }
}

/** Values of the file are shown in problems, and may be of any length. */
const MAX_SHOWN = 300

export function describeProblem(problem: Problem): string {
  const { message } = problem
  const shown = message.length > MAX_SHOWN ? `${message.slice(0, MAX_SHOWN)}…` : message
  return `${problem.file}:${problem.line}:${problem.column} ${shown}`
}

const SUBJECTS: Readonly<Record<string, string>> = {
  services: 'service',
  networks: 'network',
  volumes: 'volume',
  secrets: 'secret',
  configs: 'config',
}

/** `/services/web/ports/0` is about `service web: `. */
function subjectOf(at: string): string {
  const [section, name] = splitPointer(at)
  const subject = section === undefined ? undefined : SUBJECTS[section]
  return subject === undefined || name === undefined ? '' : `${subject} ${name}: `
}

/** RFC 6901. */
export function splitPointer(at: string): readonly string[] {
  return at
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export function childPointer(at: string, key: string | number): string {
  return `${at}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
