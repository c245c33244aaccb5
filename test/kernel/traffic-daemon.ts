import { memoryRecords, silentLog, systemClock, systemRandom } from '#base'
import { nodeProcesses, openRouter, type Route } from '#traffic/router'

/** A daemon that applies one route and then waits to be killed. Arguments: run directory, route as JSON. */
const router = openRouter({
  runDir: process.argv[2] ?? '',
  processes: nodeProcesses(),
  clock: systemClock(),
  random: systemRandom(),
  store: memoryRecords(),
  accessLogPath: `${process.argv[2] ?? ''}/access.log`,
  log: silentLog(),
  runAs: null,
  command: 'haproxy',
})
const failures = await router.apply([JSON.parse(process.argv[3] ?? '') as Route])
process.stdout.write(`${JSON.stringify(failures)}\n`)
process.stdin.resume()
