import { systemClock } from '#base'
import type { BuildCalls } from '#client'
import type { SourceFiles } from '#client/context'

import type { CliContext, TableEntry } from './command.ts'
import { type InstanceChoice, instancePaths } from './daemon/paths.ts'
import { painter } from './output/colour.ts'
import { sinkOf } from './output/terminal.ts'

/** What the process hands over. */
export interface Launch {
  readonly words: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly home: string
  /** A function, for opening it costs time that most commands need not spend. */
  readonly stdin: () => NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Calls back on a signal, in place of what it does otherwise, until disposed. */
  readonly onSignal: (name: NodeJS.Signals, then: () => void) => Disposable
  /** In a daemon that runs a command for a caller: what it has at hand. */
  readonly served?: Served
}

export interface Served {
  readonly builds: BuildCalls
  readonly files: SourceFiles
}

export function createContext(
  choice: InstanceChoice & { readonly 'no-install': boolean; readonly config?: string | undefined },
  launch: Launch,
  commands: readonly TableEntry[],
): CliContext {
  const instance = instancePaths(choice, launch.env, launch.cwd)
  const stdout = sinkOf(launch.stdout, launch.env)
  let interrupt: AbortController | undefined
  const context: CliContext = {
    terminal: {
      get stdin() {
        return launch.stdin()
      },
      stdout,
      stderr: sinkOf(launch.stderr, launch.env),
    },
    paint: painter(stdout.hasColour),
    env: launch.env,
    cwd: launch.cwd,
    clock: systemClock(),
    instance,
    home: launch.home,
    mayInstall: !choice['no-install'] && (launch.env['GLOVEBOX_NO_INSTALL'] ?? '') === '',
    configDir: choice.config,
    commands,
    client: async () => {
      const { createClient, placeOf } = await import('#client')
      return createClient(instance.tcp === undefined ? instance.socketPath : placeOf(instance.tcp, launch.env))
    },
    builds: async () => launch.served?.builds ?? (await context.client()).builds,
    files: launch.served?.files,
    interrupted: () => {
      if (interrupt !== undefined) return interrupt.signal
      const controller = new AbortController()
      interrupt = controller
      // Once: the second Ctrl-C ends the process as ever.
      const taken = (['SIGINT', 'SIGTERM'] as const).map((name) =>
        launch.onSignal(name, () => {
          controller.abort()
          for (const one of taken) one[Symbol.dispose]()
        }),
      )
      return controller.signal
    },
    onSignal: launch.onSignal,
  }
  return context
}
