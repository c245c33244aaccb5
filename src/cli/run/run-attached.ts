import type { Client } from '#client'

import type { CliContext } from '../command.ts'
import { type Paint, printable } from '../output/colour.ts'
import { errorText } from '../exit-code.ts'
import { startFailureCode } from './exit-codes.ts'
import { type Join, joinQuery } from './join.ts'
import { proxySignals } from './proxy-signals.ts'
import { session } from './session.ts'

export interface AttachedRun extends Join {
  readonly removesItself: boolean
}

/** Attaches, starts and stays until the container ends; gives its exit code. Nothing of its output is lost: the streams join before it starts. */
export async function runAttached(run: AttachedRun, client: Client, context: CliContext): Promise<number> {
  const upgraded = await client.containers.attach(run.id, joinQuery(run))
  const { exit } = await client.containers.wait(run.id, run.removesItself ? 'removed' : 'next-exit')
  // Looked at below; meanwhile its failure must not count as unobserved.
  exit.catch(() => undefined)
  const failure = await startOr(client, run, context.paint, context)
  if (failure !== undefined) {
    upgraded.socket.destroy()
    return failure
  }
  // On a terminal the keys go in as bytes, Ctrl-C among them; a signal is then meant for us.
  using _signals =
    run.proxiesSignals && !run.hasTty ? proxySignals(context, (signal) => client.containers.kill(run.id, signal)) : undefined
  const outcome = await session(upgraded, { ...run, resize: (size) => client.containers.resize(run.id, size) }, context)
  if (outcome === 'detached') {
    context.terminal.stderr.write('\r\n')
    return 0
  }
  const { StatusCode, Error: problem } = await exit
  if (problem?.Message !== undefined && problem.Message !== '')
    context.terminal.stderr.write(`glovebox: ${printable(problem.Message)}\n`)
  return StatusCode
}

async function startOr(client: Client, run: AttachedRun, paint: Paint, context: CliContext): Promise<number | undefined> {
  try {
    await client.containers.start(run.id)
    return undefined
  } catch (error) {
    context.terminal.stderr.write(errorText(error, paint))
    // One that never ran has nobody else to remove it; it may be gone already.
    if (run.removesItself) await client.containers.remove(run.id, { force: true, v: true }).catch(() => undefined)
    return startFailureCode(error)
  }
}
