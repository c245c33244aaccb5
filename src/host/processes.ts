import { closeSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'

import { systemCodeOf } from '#base'
import type { Clock } from '#base'
import { errnoError, errnoName } from './errors.ts'
import type { ProcessDetails, ProcessIdentity, ProcessPort } from './port-processes.ts'
import { parsePasswd, parseProcFields, parseProcStat, TICKS_PER_SECOND } from './proc-stat.ts'
import type { ProcStat } from './proc-stat.ts'
import type { LazySyscalls } from './syscalls.ts'

/** Where the kernel's pidfds cannot be watched by the event loop, look this often. */
const POLL_MS = 100
const SIGKILL = 9

export function linuxProcesses(calls: LazySyscalls, clock: Clock): ProcessPort & { killListed: KillListed } {
  /** A descriptor for this very process: opened first, then proven to be the right one, since afterwards it cannot change. */
  const openPidfd = ({ pid, startTicks }: ProcessIdentity): number | undefined => {
    const fd = calls().pidfdOpen(pid)
    if (fd < 0) {
      const errno = calls().errno()
      if (errnoName(errno) === 'ESRCH' || errnoName(errno) === 'EINVAL') return undefined
      throw errnoError('host.process_failed', `open process ${pid}`, errno)
    }
    const stat = readStat(pid)
    if (stat?.startTicks === startTicks && !isDead(stat)) return fd
    closeSync(fd)
    return undefined
  }
  const isAlive = (identity: ProcessIdentity) => {
    const stat = readStat(identity.pid)
    return stat !== undefined && stat.startTicks === identity.startTicks && !isDead(stat)
  }
  const sendTo = (pidfd: number, signo: number, pid: number): boolean => {
    if (calls().pidfdSendSignal(pidfd, signo) === 0) return true
    const errno = calls().errno()
    if (errnoName(errno) === 'ESRCH') return false
    throw errnoError('host.process_failed', `send signal ${signo} to process ${pid}`, errno)
  }
  return {
    identity: (pid) => {
      const stat = readStat(pid)
      return stat === undefined || isDead(stat) ? undefined : { pid, startTicks: stat.startTicks }
    },
    isAlive,
    signal: (identity, signo) => {
      const pidfd = openPidfd(identity)
      if (pidfd === undefined) return false
      try {
        return sendTo(pidfd, signo, identity.pid)
      } finally {
        closeSync(pidfd)
      }
    },
    watchExit: (identity, onExit) => {
      const pidfd = openPidfd(identity)
      if (pidfd === undefined) return clock.after(0, onExit)
      return watchPidfd(pidfd, onExit) ?? pollExit(clock, () => isAlive(identity), onExit)
    },
    details: (pids) => readDetails(pids),
    killListed: (pids, stillListed) => {
      const opened = pids.map((pid) => ({ pid, fd: calls().pidfdOpen(pid) })).filter(({ fd }) => fd >= 0)
      try {
        // Whoever is still listed now was so while its descriptor was opened: it is the one that was meant.
        const listed = new Set(stillListed())
        for (const { pid, fd } of opened) if (listed.has(pid)) sendTo(fd, SIGKILL, pid)
      } finally {
        for (const { fd } of opened) closeSync(fd)
      }
    },
  }
}

type KillListed = (pids: readonly number[], stillListed: () => readonly number[]) => void

interface PipeHandle {
  open(fd: number): number
  close(): void
}

/**
 * A pidfd becomes readable when its process ends; reading it then fails with EINVAL. Wrapped as a pipe it wakes the event loop
 * without a thread of its own. Node has no public way to watch a descriptor, hence its internal binding.
 */
function watchPidfd(pidfd: number, onExit: () => void): Disposable | undefined {
  const handle = pipeHandle()
  if (handle === undefined || handle.open(pidfd) !== 0) {
    handle?.close()
    closeSync(pidfd)
    return undefined
  }
  const socket = new Socket({ handle } as unknown as ConstructorParameters<typeof Socket>[0])
  let isDone = false
  const finish = () => {
    if (isDone) return
    isDone = true
    socket.destroy()
    onExit()
  }
  socket.once('error', finish)
  socket.once('close', finish)
  socket.on('error', () => undefined)
  socket.resume()
  socket.unref()
  return {
    [Symbol.dispose]: () => {
      isDone = true
      socket.destroy()
    },
  }
}

function pipeHandle(): PipeHandle | undefined {
  try {
    const { binding } = process as unknown as { readonly binding?: (name: string) => unknown }
    const wrap = binding?.('pipe_wrap') as
      | { readonly Pipe: new (type: number) => PipeHandle; readonly constants: { readonly SOCKET: number } }
      | undefined
    return wrap === undefined ? undefined : new wrap.Pipe(wrap.constants.SOCKET)
  } catch {
    return undefined
  }
}

function pollExit(clock: Clock, isAlive: () => boolean, onExit: () => void): Disposable {
  let timer: Disposable
  const look = () => (isAlive() ? void (timer = clock.after(POLL_MS, look)) : onExit())
  timer = clock.after(POLL_MS, look)
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}

function isDead({ state }: ProcStat): boolean {
  return state === 'Z' || state === 'X'
}

function readStat(pid: number): ProcStat | undefined {
  const text = readProc(pid, 'stat')
  return text === undefined ? undefined : parseProcStat(text)
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

function readDetails(pids: readonly number[]): readonly ProcessDetails[] {
  const users = parsePasswd(readFileSync('/etc/passwd', 'utf8'))
  const bootTimeMs = readBootTimeMs()
  return pids.flatMap((pid) => {
    const stat = readStat(pid)
    const status = readProc(pid, 'status')
    const commandLine = readProc(pid, 'cmdline')
    if (stat === undefined || status === undefined || commandLine === undefined) return []
    const fields = parseProcFields(status)
    const uid = firstFigure(fields.get('Uid'))
    return [
      {
        pid,
        parentPid: stat.parentPid,
        namespacePid: Number(fields.get('NSpid')?.split(/\s+/).at(-1) ?? pid),
        uid,
        gid: firstFigure(fields.get('Gid')),
        user: users.get(uid) ?? String(uid),
        state: stat.state,
        threads: stat.threads,
        cpuMs: ((stat.userTicks + stat.systemTicks) * 1000) / TICKS_PER_SECOND,
        startedAtMs: bootTimeMs + (stat.startTicks * 1000) / TICKS_PER_SECOND,
        // status sums the counters of all cores, stat only estimates; kernel threads have neither.
        rssBytes: firstFigure(fields.get('VmRSS')) * 1024,
        virtualBytes: stat.virtualBytes,
        terminal: stat.terminal,
        commandName: stat.commandName,
        commandLine: commandLine.split('\0').slice(0, -1),
      },
    ]
  })
}

/** /proc/stat has the boot time in whole seconds, which is what ps shows too. */
export function readBootTimeMs(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0) * 1000
}

function firstFigure(field: string | undefined): number {
  return Number(field?.split(/\s+/)[0] ?? 0)
}
