import { runHistory } from './history.ts'

/** `node test/sim/run.ts SEED [trace]`: one history again, with everything that was written. */
const [seed = '1', ...more] = process.argv.slice(2)
const { problems, trace } = await runHistory(Number(seed))
if (more.includes('trace')) console.log(trace.join('\n'))
console.log(problems.length === 0 ? 'all is well' : problems.join('\n'))
