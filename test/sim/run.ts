import { writeSync } from 'node:fs'

import { runHistory } from './history.ts'

/** `node test/sim/run.ts SEED [trace]`: one history again, with everything that was written, at once: also when it does not come to an end. */
const [seed = '1', ...more] = process.argv.slice(2)
const { problems } = await runHistory(Number(seed), more.includes('trace') ? (line) => void writeSync(1, `${line}\n`) : undefined)
console.log(problems.length === 0 ? 'all is well' : problems.join('\n'))
