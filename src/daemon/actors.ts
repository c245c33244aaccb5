import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import type { Actor } from '#cluster/model'
import type { Host } from '#host'

/** Who is at the other end of a connection. */
export interface Actors {
  actorOf(request: IncomingMessage, otherwise: Actor['from']): Actor
  /** The dashboard knows who has signed in to it, and hands on what they ask for. */
  vouch(request: IncomingMessage, user: string): void
}

const PASSWD = '/etc/passwd'
const UNKNOWN = 'unknown'
/** Of ours, and what they call themselves. */
const PROGRAMS: readonly Actor['from'][] = ['cli', 'dashboard']

/** On the socket the kernel says which user it is, on TCP the certificate: neither can be made up by who asks. The program is what it says that it is. */
export function openActors(host: Pick<Host, 'sockets'>): Actors {
  const vouched = new WeakMap<IncomingMessage, string>()
  return {
    vouch: (request, user) => void vouched.set(request, user),
    actorOf: (request, otherwise) => {
      const user = vouched.get(request)
      if (user !== undefined) return { by: user, from: 'dashboard' }
      const { socket, headers } = request
      const program = PROGRAMS.find((known) => known === headers['glovebox-from'])
      return { by: certified(socket) ?? localUser(socket, host) ?? UNKNOWN, from: program ?? otherwise }
    },
  }
}

function certified(socket: Socket): string | undefined {
  if (!('getPeerCertificate' in socket) || typeof socket.getPeerCertificate !== 'function') return undefined
  const certificate: unknown = socket.getPeerCertificate()
  const name: unknown = field(field(certificate, 'subject'), 'CN')
  return typeof name === 'string' && name !== '' ? name : undefined
}

function localUser(socket: Socket, host: Pick<Host, 'sockets'>): string | undefined {
  // Node tells nobody which descriptor a connection has.
  const fd = field(field(socket, '_handle'), 'fd')
  const peer = typeof fd === 'number' && fd >= 0 ? host.sockets.peer(fd) : undefined
  return peer === undefined ? undefined : userName(peer.uid)
}

/** The host's name of a user, or the number where it has none. */
function userName(uid: number): string {
  try {
    for (const line of readFileSync(PASSWD, 'utf8').split('\n')) {
      const [name, , id] = line.split(':')
      if (name !== undefined && name !== '' && id === String(uid)) return name
    }
  } catch {
    // Users may be kept elsewhere, and then the number has to do.
  }
  return String(uid)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
