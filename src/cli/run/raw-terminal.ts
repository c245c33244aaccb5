import { spawnSync } from 'node:child_process'

/**
 * Hands every key to the process and shows every byte of it as it is, until disposed. Node's raw mode leaves the terminal turning line feeds
 * into line ends, which moves the cursor of programs that draw; stty(1) ends that, and Node puts back all of it.
 */
export function rawTerminal(stdin: NodeJS.ReadStream): Disposable {
  stdin.setRawMode(true)
  // Waited for: after the terminal was put back it must not come. Without stty the lines are still readable.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
  return { [Symbol.dispose]: () => void stdin.setRawMode(false) }
}
