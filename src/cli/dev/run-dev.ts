import { join } from 'node:path'

import type { Client } from '#client'
import type { ComposeReading } from '#cluster/spec'

import type { CliContext } from '../command.ts'
import { registryAuthsOf } from '../build/registry-auths.ts'
import { startDaemon } from '../daemon/start-daemon.ts'
import { cliError } from '../errors.ts'
import { errorText } from '../exit-code.ts'
import { painter } from '../output/colour.ts'
import { progress } from '../output/progress.ts'
import { bringUp } from '../up/bring-up.ts'
import { readComposeFile, type ComposeChoice } from '../up/compose-file.ts'
import { provideImages } from '../up/images.ts'
import { pullService } from '../up/pull-service.ts'
import { urlLines } from '../up/urls.ts'
import { devSession } from './session.ts'
import { watchTree } from './watch-tree.ts'

export interface DevChoice extends ComposeChoice {
  readonly down: boolean
  readonly hasLogs: boolean
}

/** Up, then watched until Ctrl-C; begins again when the Compose file changes. Resolves to the exit code. */
export async function runDev(choice: DevChoice, context: CliContext): Promise<number> {
  const interrupted = context.interrupted()
  let reading = await readComposeFile(choice, context)
  await startDaemon(context)
  const client = await context.client()
  while (!interrupted.aborted) {
    using file = composeWatch(reading, context)
    const signal = AbortSignal.any([interrupted, file.changed])
    try {
      await oneRound(reading, client, choice, context, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
    if (!interrupted.aborted && file.changed.aborted) reading = await readAgain(reading, choice, context, interrupted)
  }
  return await leave(reading.spec.name, client, choice, context)
}

/** The file as it is now; one that cannot be read is told, and waited for until it can. */
async function readAgain(
  before: ComposeReading,
  choice: DevChoice,
  context: CliContext,
  signal: AbortSignal,
): Promise<ComposeReading> {
  const { stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  while (!signal.aborted) {
    // Watched before it is read: what is written in between counts.
    using again = composeWatch(before, context)
    try {
      const reading = await readComposeFile(choice, context)
      stderr.write(`${paint('dim', 'dev |')} the Compose file changed\n`)
      return reading
    } catch (error) {
      stderr.write(errorText(error, paint))
      await aborted(AbortSignal.any([signal, again.changed]))
    }
  }
  return before
}

async function oneRound(
  reading: ComposeReading,
  client: Client,
  choice: DevChoice,
  context: CliContext,
  signal: AbortSignal,
): Promise<void> {
  const { stdout, stderr } = context.terminal
  const paint = painter(stderr.hasColour)
  const { clock } = context
  for (const warning of reading.warnings) stderr.write(`${paint('yellow', 'warning:')} ${warning}\n`)
  const show = progress(stderr, paint)
  const pull = async (image: string) => await pullService(image, client, context)
  const options = {
    client,
    show,
    signal,
    clock,
    surroundings: { cwd: reading.spec.workingDir, env: context.env },
    registryAuth: registryAuthsOf(context),
    usesCache: true,
    pulls: false,
    builds: true,
    pullPolicies: reading.pullPolicies,
    pull,
  }
  const images = await provideImages(reading.spec.services, reading.builds, options)
  const began = String(Math.floor(clock.nowMs() / 1000))
  const { followed } = await bringUp(reading, images, { client, show, clock, signal })
  // What fails may be what somebody is about to mend: its files are watched all the same.
  for (const reason of followed?.reasons ?? []) stderr.write(`${paint('red', 'failed:')} ${reason}\n`)
  stdout.write(urlLines(followed?.status?.services ?? [], context.paint))
  if (!signal.aborted) await devSession({ reading, images, client, context, signal, hasLogs: choice.hasLogs, began })
}

function composeWatch(
  { spec, furtherFiles }: ComposeReading,
  { clock }: CliContext,
): Disposable & { readonly changed: AbortSignal } {
  const changed = new AbortController()
  const paths = [...spec.configFiles, ...furtherFiles, join(spec.workingDir, '.env')]
  const watches = paths.map((path) =>
    watchTree({ path, canSkip: () => true, clock, onChanges: () => changed.abort(), onTrouble: () => undefined }),
  )
  return {
    changed: changed.signal,
    [Symbol.dispose]: () => {
      for (const watch of watches) watch[Symbol.dispose]()
    },
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

async function leave(name: string, client: Client, { down }: DevChoice, { terminal }: CliContext): Promise<number> {
  if (!down) {
    terminal.stderr.write(`\n${name} goes on without being watched: end it with \`glovebox down\`.\n`)
    return 0
  }
  terminal.stderr.write(`\nTaking ${name} down.\n`)
  try {
    await client.glovebox.removeStack(name, { volumes: false })
  } catch (error) {
    throw cliError('cli.failed', `take ${name} down: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return 0
}
