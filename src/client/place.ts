import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { messageOf } from '#base'

import { clientError } from './errors.ts'

/** Where a daemon answers: the path of its socket, an address where it speaks TLS, or another machine that is reached with ssh. */
export type DaemonPlace = string | TlsPlace | SshPlace

export interface TlsPlace {
  readonly host: string
  readonly port: number
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}

export interface SshPlace {
  /** As the user wrote it. */
  readonly address: string
  /** For ssh(1): the machine and what to run there. */
  readonly words: readonly string[]
}

/** As Docker's clients have it: the port of those who speak TLS. */
const DEFAULT_PORT = 2376

/**
 * `tcp://HOST[:PORT]` with what Docker's clients read beside it: DOCKER_CERT_PATH (~/.docker) with ca.pem, cert.pem and key.pem, and
 * DOCKER_TLS_VERIFY, which must be set: a daemon is not spoken to in the clear. `ssh://[USER@]HOST[:PORT][/SOCKET]` needs none of it. Error: `client.place_invalid`.
 */
export function placeOf(address: string, env: NodeJS.ProcessEnv): DaemonPlace {
  if (address.startsWith('ssh://')) return sshPlace(address)
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:/[\]]+))(?::(\d{1,5}))?\/?$/.exec(address)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? DEFAULT_PORT)
  if (host === undefined || port > 65_535) throw clientError('client.place_invalid', `${address}: not tcp://HOST:PORT`)
  if ((env['DOCKER_TLS_VERIFY'] ?? '') === '')
    throw clientError('client.place_invalid', `${address}: a daemon is not spoken to without TLS`, {
      hint: 'Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to a directory with ca.pem, cert.pem and key.pem.',
    })
  const directory = env['DOCKER_CERT_PATH'] || join(homedir(), '.docker')
  const read = (name: string) => {
    try {
      return readFileSync(join(directory, name))
    } catch (error) {
      throw clientError('client.place_invalid', `DOCKER_CERT_PATH: ${messageOf(error)}`, { cause: error })
    }
  }
  return { host, port, ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
}

/** The names are strict: ssh must not take one for an option, and the shell over there sees the path. */
function sshPlace(address: string): SshPlace {
  const match = /^ssh:\/\/(?:([\w.][\w.-]*)@)?([\w][\w.-]*|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?(\/[\w./-]*)?$/.exec(address)
  const [, user, host, port, path] = match ?? []
  if (host === undefined) throw clientError('client.place_invalid', `${address}: not ssh://[USER@]HOST[:PORT][/SOCKET]`)
  const remote = path === undefined || path === '/' ? [] : ['--host', `unix://${path}`]
  return {
    address,
    words: [
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', port]),
      '--',
      host.replace(/^\[(.*)\]$/, '$1'),
      ...['glovebox', ...remote, 'system', 'dial-stdio'],
    ],
  }
}

/** For people. */
export function nameOf(place: DaemonPlace): string {
  if (typeof place === 'string') return place
  return 'address' in place ? place.address : `tcp://${place.host}:${place.port}`
}

/** Node's and OpenSSL's names of what can be wrong with a server's certificate. */
export function isCertificateTrouble(code: string | undefined): boolean {
  return code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_|INVALID_PURPOSE|^ERR_(TLS|SSL|OSSL)_/.test(code)
}
