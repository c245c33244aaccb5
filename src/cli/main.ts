/** The process itself: the file that the launcher runs. */
import { dirname, join } from 'node:path'

import { isBrokenPipe, runCli } from './cli.ts'

// `glovebox logs x | head`: whoever reads has gone; that is no failure of ours, and there is nobody to tell.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error) => {
    if (isBrokenPipe(error)) process.exit(0)
    throw error
  })

// Should nothing be left to wait for before a command is done, that must not look like success.
process.exitCode = 1

void runCli({
  words: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  home: homeOf(import.meta.dirname),
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal: (name, then) => {
    process.on(name, then)
    return { [Symbol.dispose]: () => void process.off(name, then) }
  },
}).then((code) => {
  // Whatever is still open (a terminal, a connection) is of no more use; what was written must be out first.
  process.stdout.write('', () => process.exit(code))
})

/** `build/` in what ships, `src/cli/` in development. */
function homeOf(directory: string): string {
  return directory.endsWith('/src/cli') ? join(directory, '../..') : dirname(directory)
}
