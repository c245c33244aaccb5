import { appendFileSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

import type { UserRemap } from '#engine/containers'
import { holdUserNamespace, type Host, type IdRange } from '#host'

import { missingDefaultLine, readUserRemap } from './subordinate-ids.ts'

/** What `--userns-remap` makes of a host and its containers. */
export interface RemappedHost {
  readonly remap: UserRemap
  /** Makes the network namespace of a container that is remapped where its user namespace is. */
  readonly host: Host
}

/** `text`: `default`, `USER` or `USER:GROUP`. `default` gets ranges in /etc/subuid and /etc/subgid when it has none, as with Docker. */
export function remapUsers(text: string, host: Host): RemappedHost {
  if (text === 'default')
    for (const path of ['/etc/subuid', '/etc/subgid']) {
      const line = missingDefaultLine(read(path))
      if (line !== undefined) appendFileSync(path, line)
    }
  const mapping = readUserRemap(text, {
    passwd: read('/etc/passwd'),
    group: read('/etc/group'),
    subuid: read('/etc/subuid'),
    subgid: read('/etc/subgid'),
  })
  const holders = new Map<string, number>()
  const { namespaces } = host
  return {
    remap: {
      rootUid: mapping.uids[0]?.outsideId ?? 0,
      rootGid: mapping.gids[0]?.outsideId ?? 0,
      groups: mapping.gids.reduce((sum, { count }) => sum + count, 0),
      ownerOnHost: ({ uid, gid }) => {
        const [user, group] = [outsideId(mapping.uids, uid), outsideId(mapping.gids, gid)]
        return user === undefined || group === undefined ? undefined : { uid: user, gid: group }
      },
      hold: async (containerId, joins) => {
        const held = await holdUserNamespace(joins === undefined ? mapping : { joins })
        holders.set(containerId, held.pid)
        return {
          pid: held.pid,
          [Symbol.asyncDispose]: async () => {
            holders.delete(containerId)
            await held[Symbol.asyncDispose]()
          },
        }
      },
    },
    host: {
      ...host,
      namespaces: {
        ...namespaces,
        createNetwork: (pinPath) => {
          const holder = holders.get(basename(pinPath))
          if (holder === undefined) namespaces.createNetwork(pinPath)
          else namespaces.pinNetworkOf(holder, pinPath)
        },
      },
    },
  }
}

function outsideId(ranges: readonly IdRange[], inside: number): number | undefined {
  const range = ranges.find(({ insideId, count }) => inside >= insideId && inside < insideId + count)
  return range === undefined ? undefined : range.outsideId + inside - range.insideId
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not there: nobody has ranges.
    return ''
  }
}
