import { once } from 'node:events'

import { invariant } from '#base'
import type { OpenTerminal, TerminalPort } from '#dashboard/server'
import type { ContainersService } from '#engine/containers'

/** The better shell where there is one. The text is the same for every container. */
const SHELL = ['/bin/sh', '-c', 'if [ -x /bin/bash ]; then exec /bin/bash; fi; exec /bin/sh']

/** Shells in containers as execs with a terminal. */
export function terminalPort({ exec }: Pick<ContainersService, 'exec'>): TerminalPort {
  return {
    open: async (container, { columns, rows }) => {
      const consoleSize = [rows, columns] as const
      const id = await exec.create(container, {
        cmd: SHELL,
        env: ['TERM=xterm-256color'],
        workingDir: '',
        user: '',
        hasTty: true,
        isPrivileged: false,
        attachStdin: true,
        attachStdout: true,
        attachStderr: true,
        detachKeys: '',
        consoleSize,
      })
      const stream = await exec.start(id, { detach: false, hasTty: true, consoleSize })
      invariant(stream !== null && stream.input !== null, 'an exec that is not detached has its streams')
      return joined(exec, id, stream, stream.input)
    },
  }
}

type Exec = ContainersService['exec']
type Stream = NonNullable<Awaited<ReturnType<Exec['start']>>>

function joined(exec: Exec, id: string, stream: Stream, input: NonNullable<Stream['input']>): OpenTerminal {
  // A shell that is gone takes no more: that is no failure of ours.
  input.on('error', () => undefined)
  return {
    output: stream.output as AsyncIterable<Buffer>,
    write: (bytes) => !input.writable || input.write(bytes),
    drained: async () => void (await once(input, 'drain').catch(() => undefined)),
    resize: async (size) => await exec.resize(id, size),
    exitCode: () => record(exec, id)?.exitCode ?? null,
    end: () => {
      const { state, pid } = record(exec, id) ?? { state: 'exited', pid: 0 }
      stream.close()
      if (state === 'running' && pid > 0) hangUp(pid)
    },
  }
}

function record(exec: Exec, id: string) {
  try {
    return exec.get(id)
  } catch {
    return undefined
  }
}

/** As a terminal does whose window is closed: the shell hands it on to what it runs. */
function hangUp(pid: number): void {
  try {
    process.kill(pid, 'SIGHUP')
  } catch {
    // It has ended by itself.
  }
}
