import type { CliContext } from '../command.ts'

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const

/** Hands signals on to the container in place of dying of them. */
export function proxySignals(context: CliContext, kill: (signal: string) => Promise<void>): Disposable {
  const taken = FORWARDED.map((name) =>
    context.onSignal(name, () => {
      // The container may have ended in this moment; its exit code is on its way.
      void kill(name).catch(() => undefined)
    }),
  )
  return {
    [Symbol.dispose]: () => {
      for (const one of taken) one[Symbol.dispose]()
    },
  }
}
