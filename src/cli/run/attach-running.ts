import type { Client } from '#client'

import type { CliContext } from '../command.ts'
import { printable } from '../output/colour.ts'
import { proxySignals } from './proxy-signals.ts'
import type { Join } from './join.ts'
import { joinQuery } from './join.ts'
import { session } from './session.ts'

/** Joins a container that runs, until it ends or the user leaves; gives its exit code, 0 for those who left. */
export async function attachRunning(join: Join, client: Client, context: CliContext): Promise<number> {
  const { exit } = await client.containers.wait(join.id, 'not-running')
  // Looked at below; meanwhile its failure must not count as unobserved.
  exit.catch(() => undefined)
  const upgraded = await client.containers.attach(join.id, joinQuery(join))
  // On a terminal the keys go in as bytes, Ctrl-C among them; a signal is then meant for us.
  using _signals =
    join.proxiesSignals && !join.hasTty ? proxySignals(context, (signal) => client.containers.kill(join.id, signal)) : undefined
  const outcome = await session(upgraded, { ...join, resize: (size) => client.containers.resize(join.id, size) }, context)
  if (outcome === 'detached') {
    context.terminal.stderr.write('\r\n')
    return 0
  }
  const { StatusCode, Error: problem } = await exit
  if (problem?.Message !== undefined && problem.Message !== '')
    context.terminal.stderr.write(`glovebox: ${printable(problem.Message)}\n`)
  return StatusCode
}
