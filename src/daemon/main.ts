import { lineLog, messageOf, systemClock, GloveboxError } from '#base'

import { readDaemonArguments } from './arguments.ts'
import { readFailpoint } from './failpoints/read-failpoint.ts'
import { createSettings } from './settings/settings.ts'
import { startDaemon } from './start-daemon.ts'
import { ourSupervisor } from './supervisor.ts'

/** Exit codes of the daemon: 0 asked to end, 1 could not start. The supervisor starts it again after any other end. */
async function main(): Promise<void> {
  const clock = systemClock()
  const supervisor = ourSupervisor()
  const settings = createSettings(() => readDaemonArguments(process.argv.slice(2)))
  const log = lineLog({
    level: () => settings.current().logLevel,
    write: (line) => process.stderr.write(line),
    now: () => new Date(clock.nowMs()),
  })
  // Who reads our log may be gone: that is no reason to go as well.
  process.stderr.on('error', () => undefined)
  process.on('unhandledRejection', (error) => log.error('a promise was rejected and nobody noticed', { error: messageOf(error) }))
  const kill = () => void process.kill(process.pid, 'SIGKILL')
  const failpoints = readFailpoint(process.env['GLOVEBOX_FAILPOINT'], { log, kill })
  const daemon = await startDaemon(settings, { clock, log, failpoints })
  let isOrphan = false
  const leave = (signal: string) => {
    isOrphan = supervisor?.isGone() === true
    log.info('ending', { signal })
    void daemon.leave()
  }
  process.on('SIGHUP', () => daemon.reload())
  process.once('SIGTERM', () => leave('SIGTERM'))
  process.once('SIGINT', () => leave('SIGINT'))
  await daemon.ended
  if (isOrphan) supervisor?.startAnew()
  process.exit(0)
}

try {
  await main()
} catch (error) {
  const hint = error instanceof GloveboxError && error.hint !== undefined ? `\n  ${error.hint}` : ''
  process.stderr.write(`glovebox daemon: ${messageOf(error)}${hint}\n`)
  process.exit(1)
}
