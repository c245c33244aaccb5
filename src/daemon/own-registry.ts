import { isKind } from '#base'
import type { OwnRegistry } from '#engine/registry'
import type { Repositories } from '#engine/repositories'

import { isLoopback } from './registry-arguments.ts'

/** The registry that is served at `address`, as the daemon's own pushes and pulls see it. */
export function ownRegistry(repositories: Repositories, address: string): OwnRegistry {
  const [ownHost, ownPort] = splitPort(address)
  const isOwnPort = (host: string) => splitPort(host)[1] === ownPort
  return {
    // By what name others reach this machine is not known here.
    mayBeAt: isOwnPort,
    isAt: (host) => {
      const [name] = splitPort(host)
      return isOwnPort(host) && (name === ownHost || (isLoopback(name) && isLoopback(ownHost)))
    },
    take: async ({ repository, id, path, digest }) => await repositories.adoptUpload(repository, id, { path, digest }),
    find: (repository, digest) => {
      try {
        return repositories.blobFile(repository, digest).path
      } catch (error) {
        if (isKind(error, 'not_found')) return undefined
        throw error
      }
    },
  }
}

/** An IPv6 address stands in brackets, with its port behind. */
function splitPort(address: string): readonly [host: string, port: string] {
  const colon = address.lastIndexOf(':')
  return [address.slice(0, colon).replace(/^\[|\]$/g, ''), address.slice(colon + 1)]
}
