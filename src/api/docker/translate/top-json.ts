import type { TopProcess } from '#engine/containers'

import { dockerError } from '../errors.ts'

interface Column {
  readonly title: string
  readonly value: (process: TopProcess, memoryBytes: number) => string
}

const tty = (process: TopProcess) => (process.tty === '' ? '?' : process.tty)
const share = (part: number, whole: number) => (whole > 0 ? (100 * part) / whole : 0).toFixed(1)

/** Columns by the names that ps(1) knows them by. */
const COLUMNS: Readonly<Record<string, Column>> = {
  uid: { title: 'UID', value: (process) => process.user || String(process.uid) },
  user: { title: 'USER', value: (process) => process.user || String(process.uid) },
  pid: { title: 'PID', value: (process) => String(process.pid) },
  ppid: { title: 'PPID', value: (process) => String(process.ppid) },
  c: { title: 'C', value: (process) => String(Math.floor(process.cpuPercent)) },
  '%cpu': { title: '%CPU', value: (process) => process.cpuPercent.toFixed(1) },
  '%mem': { title: '%MEM', value: (process, memoryBytes) => share(process.rssBytes, memoryBytes) },
  rss: { title: 'RSS', value: (process) => String(Math.floor(process.rssBytes / 1024)) },
  tty: { title: 'TTY', value: tty },
  stime: { title: 'STIME', value: (process) => clockTime(process.startedAtMs) },
  start: { title: 'START', value: (process) => clockTime(process.startedAtMs) },
  time: { title: 'TIME', value: (process) => cpuTime(process.cpuSeconds) },
  cmd: { title: 'CMD', value: (process) => process.command },
  command: { title: 'COMMAND', value: (process) => process.command },
}

const ALIASES: Readonly<Record<string, string>> = {
  pcpu: '%cpu',
  pmem: '%mem',
  tt: 'tty',
  args: 'command',
  euser: 'user',
  start_time: 'stime',
}
const FULL = ['uid', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'cmd']
const RESOURCES = ['user', 'pid', '%cpu', '%mem', 'rss', 'tty', 'start', 'time', 'command']

/** ContainerTopResponse. We read /proc ourselves and run no ps, so only column sets that we can fill are taken. Error: `docker.option_unsupported`. */
export function topJson(processes: readonly TopProcess[], psArgs: string, memoryBytes: number) {
  const columns = columnsOf(psArgs.trim())
  return {
    Titles: columns.map((column) => column.title),
    Processes: processes.map((process) => columns.map((column) => column.value(process, memoryBytes))),
  }
}

function columnsOf(psArgs: string): readonly Column[] {
  if (psArgs === '' || psArgs === '-ef' || psArgs === 'ef') return named(FULL, psArgs)
  if (psArgs === 'aux' || psArgs === '-aux' || psArgs === 'u') return named(RESOURCES, psArgs)
  const list = /^-?[ae]*x?o\s*([a-z_%, ]+)$/.exec(psArgs)?.[1]
  if (list === undefined) throw refused(psArgs)
  const columns = list.split(/[ ,]+/).filter((name) => name !== '')
  if (!columns.includes('pid')) throw dockerError('docker.field_invalid', "Couldn't find PID field in ps output")
  return named(columns, psArgs)
}

function named(names: readonly string[], psArgs: string): readonly Column[] {
  return names.map((name) => {
    const column = COLUMNS[ALIASES[name] ?? name]
    if (column === undefined) throw refused(psArgs)
    return column
  })
}

function refused(psArgs: string): Error {
  return dockerError('docker.option_unsupported', `top: ps arguments ${JSON.stringify(psArgs)} are not supported`, {
    hint: `Use -ef, aux, or -o with some of ${Object.keys(COLUMNS).join(',')}.`,
  })
}

function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16)
}

function cpuTime(seconds: number): string {
  const whole = Math.floor(seconds)
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
}
