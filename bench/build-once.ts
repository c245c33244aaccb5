/** One build over our own API, as a process: `node bench/build-once.ts SOCKET DIRECTORY WISH`. */
import { buildDirectory } from '../test/support/build-client.ts'

const [socketPath = '', directory = '', wish = '{}'] = process.argv.slice(2)
await buildDirectory(socketPath, directory, JSON.parse(wish) as Record<string, unknown>)
