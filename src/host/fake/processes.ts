import type { ProcessIdentity, ProcessPort } from '../port-processes.ts'
import type { Recorder } from './record.ts'

export interface FakeProcesses extends ProcessPort {
  /** Starts a process that is only a number. */
  start(pid: number): ProcessIdentity
  /** Ends it and tells the watchers on a later tick. */
  exit(pid: number): void
}

const SIGKILL = 9

export function fakeProcesses({ record }: Recorder): FakeProcesses {
  const alive = new Map<number, ProcessIdentity>()
  const watchers = new Map<ProcessIdentity, Set<() => void>>()
  let ticks = 1000
  const find = ({ pid, startTicks }: ProcessIdentity) => {
    const found = alive.get(pid)
    return found?.startTicks === startTicks ? found : undefined
  }
  const exit = (pid: number) => {
    const identity = alive.get(pid)
    alive.delete(pid)
    if (identity === undefined) return
    const called = watchers.get(identity) ?? []
    watchers.delete(identity)
    for (const onExit of called) setImmediate(onExit)
  }
  return {
    start: (pid) => {
      const identity = { pid, startTicks: (ticks += 1) }
      alive.set(pid, identity)
      return identity
    },
    exit,
    identity: (pid) => alive.get(pid),
    isAlive: (identity) => find(identity) !== undefined,
    signal: (identity, signo) => {
      record('processes.signal', identity, signo)
      if (find(identity) === undefined) return false
      if (signo === SIGKILL) exit(identity.pid)
      return true
    },
    watchExit: (identity, onExit) => {
      const known = find(identity)
      let isOn = true
      const once = () => {
        if (isOn) onExit()
        isOn = false
      }
      if (known === undefined) setImmediate(once)
      else watchers.set(known, (watchers.get(known) ?? new Set()).add(once))
      return { [Symbol.dispose]: () => void (isOn = false) }
    },
    details: (pids) =>
      pids
        .filter((pid) => alive.has(pid))
        .map((pid) => ({
          pid,
          parentPid: 1,
          namespacePid: 1,
          uid: 0,
          gid: 0,
          user: 'root',
          state: 'S',
          threads: 1,
          cpuMs: 0,
          startedAtMs: 0,
          rssBytes: 0,
          virtualBytes: 0,
          terminal: 0,
          commandName: 'fake',
          commandLine: ['fake'],
        })),
  }
}
