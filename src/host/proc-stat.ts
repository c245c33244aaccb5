/** Fields of proc_pid_stat(5) that we use. */
export interface ProcStat {
  readonly pid: number
  readonly commandName: string
  readonly state: string
  readonly parentPid: number
  readonly terminal: number
  readonly userTicks: number
  readonly systemTicks: number
  readonly threads: number
  readonly startTicks: number
  readonly virtualBytes: number
}

/** The name is in parentheses and may itself hold any of `) (`: the last closing one ends it. */
export function parseProcStat(text: string): ProcStat | undefined {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const rest = text
    .slice(close + 2)
    .trim()
    .split(' ')
  if (rest.length < 22) return undefined
  // `rest` starts at field 3.
  const figure = (field: number) => Number(rest[field - 3])
  return {
    pid: Number(text.slice(0, open)),
    commandName: text.slice(open + 1, close),
    state: rest[0] ?? '?',
    parentPid: figure(4),
    terminal: figure(7),
    userTicks: figure(14),
    systemTicks: figure(15),
    threads: figure(20),
    startTicks: figure(22),
    virtualBytes: figure(23),
  }
}

/** Lines of `Key:\tvalue`, as /proc/PID/status and /proc/meminfo have them. */
export function parseProcFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()] as const]
    }),
  )
}

/** Name by uid of an /etc/passwd. */
export function parsePasswd(text: string): ReadonlyMap<number, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [name, , uid] = line.split(':')
      return name === undefined || name === '' || uid === undefined || !/^\d+$/.test(uid) ? [] : [[Number(uid), name] as const]
    }),
  )
}

/** USER_HZ is 100 on every architecture that Node runs on. */
export const TICKS_PER_SECOND = 100
