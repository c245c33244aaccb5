import { createServer } from 'node:http'

/** A task's process, as the router sees one: answers every request with its name after a few milliseconds. Prints its port. */
const name = process.argv[2] ?? ''
const server = createServer((_request, response) => {
  setImmediate(() => response.end(name))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`)
})
// An orderly task finishes what it has begun.
process.on('SIGTERM', () => server.close(() => process.exit(0)))
