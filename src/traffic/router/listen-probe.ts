import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

import { messageOf, systemCodeOf } from '#base'

import { routeError } from './errors.ts'

/** Listens for a moment to see whether it is possible. Port 0: any free one. Gives back the port. Errors: `route.port_in_use`, `route.address_refused`. */
export async function probeListen(address: string, port: number): Promise<number> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host: address, port, exclusive: true, ipv6Only: address.includes(':') }, resolve)
  try {
    await promise
    const bound = server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : port
  } catch (error) {
    if (systemCodeOf(error) === 'EADDRINUSE') {
      const holder = portHolder(port)
      throw routeError(
        'route.port_in_use',
        `port ${port} on ${address} is in use${holder === undefined ? '' : ` by ${holder}`}`,
        {
          cause: error,
          hint: 'Publish another port, or stop what listens there.',
        },
      )
    }
    throw routeError('route.address_refused', `cannot listen on ${address}, port ${port}: ${messageOf(error)}`, { cause: error })
  } finally {
    const { promise: closed, resolve: done } = Promise.withResolvers<void>()
    server.close(() => done())
    await closed
  }
}

/** Some link has an address of it: binding to all of them would fail otherwise. */
export function hostHasIpv6(): boolean {
  return readText('/proc/net/if_inet6') !== ''
}

/** Looking through every descriptor of every process is only done to explain a failure; beyond this many it is given up. */
const MAX_PROCESSES = 5000

/** `nginx (process 123)`; undefined when it cannot be found, as with a listener in another user's or network's namespace. */
function portHolder(port: number): string | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => listeningInodes(readText(path), port)))
  if (inodes.size === 0) return undefined
  const pids = readNames('/proc').filter((name) => /^\d+$/.test(name))
  const holder = pids
    .slice(0, MAX_PROCESSES)
    .find((pid) => readNames(`/proc/${pid}/fd`).some((fd) => inodes.has(readLink(`/proc/${pid}/fd/${fd}`))))
  return holder === undefined ? undefined : `${readText(`/proc/${holder}/comm`).trim()} (process ${holder})`
}

/** Lines of /proc/net/tcp (proc(5)): `sl local:port remote:port st ... inode`; state 0A listens. As `socket:[inode]`. */
export function listeningInodes(text: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    return fields[3] === '0A' && fields[1]?.endsWith(`:${wanted}`) === true ? [`socket:[${fields[9]}]`] : []
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function readNames(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
