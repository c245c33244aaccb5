import assert from 'node:assert/strict'
import { it } from 'node:test'

import { runHistory } from './history.ts'

/** As many histories as fit into some seconds; the long form is asked for by its number. */
const SEEDS = Number(process.env['GLOVEBOX_SIM_SEEDS'] ?? 200)
const FIRST = Number(process.env['GLOVEBOX_SIM_FIRST'] ?? 1)

it(`keeps what always holds over ${SEEDS} random histories, and converges when the faults stop`, async () => {
  const failed: string[] = []
  for (let seed = FIRST; seed < FIRST + SEEDS && failed.length < 5; seed += 1) {
    const { problems } = await runHistory(seed)
    if (problems.length > 0) failed.push(`seed ${seed} (node test/sim/run.ts ${seed} trace):\n  ${problems.join('\n  ')}`)
  }
  assert.deepEqual(failed, [])
})
