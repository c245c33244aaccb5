import { GloveboxError, systemCodeOf, type Clock, type Random } from '#base'
import { DEFAULT_REGISTRY } from '#oci/reference'

import { certificatesOf } from './certificates.ts'
import { NO_CREDENTIALS, type Credentials } from './credentials.ts'
import { planEndpoints, type Endpoint, type RegistryOptions } from './endpoints.ts'
import { registryError } from './errors.ts'
import { isPassing, withRetries } from './retry.ts'
import { openSession, type Session } from './session.ts'
import { createWire, type Wire } from './wire.ts'

export interface ConnectNeeds {
  readonly clock: Clock
  readonly random: Random
  readonly options: RegistryOptions
  /** Certificates of registries, as `HOST:PORT/ca.crt`. */
  readonly certificatesDirectory: string
}

/** Connections of one transfer: all closed when it is disposed of. */
export function openWire(needs: ConnectNeeds): Wire {
  const { certificatesDirectory, clock, options } = needs
  return createWire(clock, async (host) => {
    const context = await certificatesOf(certificatesDirectory, host)
    const known = planEndpoints(host, options, 'push')[0]
    return { isAnyCertificateFine: known?.isAnyCertificateFine === true, ...(context === undefined ? {} : { context }) }
  })
}

/**
 * The places of a registry that answer, best first: mirrors, then the registry itself. Mirrors never see credentials. Ends with the
 * registry, or with the error of the last place.
 */
export async function* connect(
  needs: ConnectNeeds & { readonly wire: Wire; readonly signal: AbortSignal },
  registry: string,
  credentials: Credentials,
  use: 'pull' | 'push',
): AsyncGenerator<Session> {
  const endpoints = planEndpoints(registry, needs.options, use)
  for (const [index, endpoint] of endpoints.entries()) {
    const isLast = index === endpoints.length - 1
    const session = openSession({ ...needs, endpoint, credentials: endpoint.isMirror ? NO_CREDENTIALS : credentials })
    try {
      // Where there is another place to go to, that is faster than to try again.
      await (isLast ? withRetries(needs, needs.signal, session.probe) : session.probe())
    } catch (error) {
      if (isLast || !isAbsent(error)) throw withHint(error, endpoint, registry)
      continue
    }
    yield session
    // A registry has one place that is not a mirror.
    if (!endpoint.isMirror) return
  }
}

/** No host of this name: what it speaks is not the question. */
const NAME_UNKNOWN = new Set(['ENOTFOUND', 'EAI_AGAIN'])

function isAbsent(error: unknown): boolean {
  return isPassing(error) || (error instanceof GloveboxError && error.code === 'registry.unreachable')
}

function withHint(error: unknown, endpoint: Endpoint, registry: string): unknown {
  if (!isAbsent(error) || !(error instanceof GloveboxError)) return error
  const hint = hintFor(error, endpoint, registry)
  return hint === undefined ? error : registryError('registry.unreachable', error.message, { cause: error, hint })
}

function hintFor(error: GloveboxError, endpoint: Endpoint, registry: string): string | undefined {
  if (registry === DEFAULT_REGISTRY)
    return 'Name a mirror with --registry-mirror when the daemon starts; Debian images need no registry: `glovebox image bootstrap debian:bookworm`.'
  const isNameUnknown = NAME_UNKNOWN.has(systemCodeOf(error.cause) ?? '')
  if (endpoint.isAnyCertificateFine || isNameUnknown) return undefined
  return `If it is a registry without TLS, start the daemon with --insecure-registry ${endpoint.host}.`
}
