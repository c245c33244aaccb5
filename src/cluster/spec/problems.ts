/** One thing wrong with the user's file. */
export interface Problem {
  /** As the user named it; empty when it is not about a file. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

export interface Position {
  readonly line: number
  readonly column: number
}

/** A file with this many problems is not read by anybody to the end. */
const MAX_PROBLEMS = 100

/** Gathers every problem, so that the user sees all of them at once. Places are JSON pointers into the file. */
export interface Problems {
  /** At most one for each place: the first reader that complains knows best. */
  add(at: string, message: string): void
  addAt(position: Position, message: string): void
  /** In the order of the file. */
  list(): readonly Problem[]
}

export function gatherProblems(file: string, positionOf: (at: string) => Position): Problems {
  const found = new Map<string, Problem>()
  const put = (key: string, problem: Problem) => {
    if (!found.has(key) && found.size < MAX_PROBLEMS) found.set(key, problem)
  }
  return {
    add: (at, message) => put(at, { file, ...positionOf(at), message: `${subjectOf(at)}${message}` }),
    addAt: (position, message) => put(`${position.line}:${position.column}`, { file, ...position, message }),
    list: () => [...found.values()].toSorted((a, b) => a.line - b.line || a.column - b.column),
  }
}

export function describeProblem(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column} ${problem.message}`
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
