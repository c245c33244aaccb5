import { request, type IncomingMessage } from 'node:http'
import { connect, Socket, type SocketConstructorOpts } from 'node:net'

import { messageOf } from '#base'
import type { ContainersService } from '#engine/containers'
import type { Networks } from '#engine/network'
import type { Host } from '#host'
import { scrapeError, type FetchText, type ScrapeTarget } from '#observe/scraping'

export interface FetchNeeds {
  readonly containers: Pick<ContainersService, 'list'>
  readonly networks: Pick<Networks, 'sandboxPath' | 'endpointsOf'>
  readonly host: Pick<Host, 'sockets'>
}

const LOOPBACK = '127.0.0.1'
const ACCEPT = 'text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5'

/**
 * Over a socket that was made inside the container's network: an internal network, one without an end on the host and a program that listens on its loopback alone are reached
 * like any other, and no rule of who may talk to whom is in the way.
 */
export function fetchFromInside(needs: FetchNeeds): FetchText {
  return async (target, { timeoutMs, maxBytes }) => {
    const doing = `ask ${target.names['container'] ?? target.containerId} at :${target.port}${target.path}`
    const signal = AbortSignal.timeout(Math.ceil(timeoutMs))
    const netnsPin = namespaceOf(needs, target)
    const addresses = netnsPin === null ? [] : addressesOf(needs, target)
    let problem = `${doing}: it has no network`
    for (const address of addresses) {
      try {
        return await textOf(await open(needs, target, { address, netnsPin: netnsPin ?? undefined, signal }), { doing, maxBytes })
      } catch (error) {
        if (signal.aborted)
          throw scrapeError('scrape.timeout', `${doing}: no answer within ${Math.ceil(timeoutMs)} ms`, { cause: error })
        // Refused connections are tried at the next address; answers are answers.
        if (!(error instanceof Error && 'syscall' in error)) throw error
        problem = `${doing}: ${messageOf(error)}`
      }
    }
    throw scrapeError('scrape.unreachable', problem)
  }
}

type Id = Parameters<Networks['endpointsOf']>[0]

/** Where its sockets are: undefined for the host's network, null for none that can be found. */
function namespaceOf({ containers, networks }: FetchNeeds, { containerId }: ScrapeTarget): string | undefined | null {
  const records = containers.list()
  const mode = records.find(({ id }) => id === containerId)?.spec.network.mode ?? 'none'
  if (mode === 'host') return undefined
  const [, other] = mode.split('container:')
  const owner = other === undefined ? containerId : records.find(({ id, name }) => id === other || name === other)?.id
  return owner === undefined ? null : (networks.sandboxPath(owner as Id) ?? null)
}

/** Its addresses, and then its loopback. */
function addressesOf({ networks }: FetchNeeds, { containerId }: ScrapeTarget): readonly string[] {
  return [
    ...networks.endpointsOf(containerId as Id).flatMap(({ ipAddress, ipv6Address }) => [ipAddress, ipv6Address]),
    LOOPBACK,
  ].filter((address) => address !== '')
}

async function open(
  needs: FetchNeeds,
  { port, path }: ScrapeTarget,
  {
    address,
    netnsPin,
    signal,
  }: { readonly address: string; readonly netnsPin: string | undefined; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const headers = {
    host: `${address.includes(':') ? `[${address}]` : address}:${port}`,
    accept: ACCEPT,
    'accept-encoding': 'identity',
  }
  return await new Promise((resolve, reject) => {
    const asking = request(
      {
        method: 'GET',
        path,
        headers,
        signal,
        // Without an agent, which would make sockets of its own.
        createConnection: () => connected(needs.host, netnsPin, address, port),
      },
      resolve,
    )
    asking.once('error', reject)
    asking.end()
  })
}

function connected({ sockets }: FetchNeeds['host'], netnsPin: string | undefined, address: string, port: number): Socket {
  if (netnsPin === undefined) return connect(port, address)
  const any = address.includes(':') ? '::' : '0.0.0.0'
  const { fd } = sockets.boundTcp({ netnsPin, address: any, port: 0 })
  const socket = new Socket({ fd, pauseOnCreate: true } as SocketConstructorOpts)
  return socket.connect(port, address, () => socket.resume())
}

async function textOf(
  answer: IncomingMessage,
  { doing, maxBytes }: { readonly doing: string; readonly maxBytes: number },
): Promise<string> {
  const refuse = (why: string) => {
    answer.destroy()
    return scrapeError('scrape.refused', `${doing}: ${why}`)
  }
  if (answer.statusCode !== 200) throw refuse(`it answered with status ${answer.statusCode}`)
  const encoding = answer.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw refuse(`it answered in ${encoding}, which was not asked for`)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) {
      answer.destroy()
      throw scrapeError('scrape.too_large', `${doing}: it told more than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (error) {
    throw scrapeError('scrape.refused', `${doing}: it told something that is no UTF-8`, { cause: error })
  }
}
