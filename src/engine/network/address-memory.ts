import type { ContainerId } from '#base'

import { parseIp } from './cidr.ts'
import type { Endpoint } from './port.ts'

/** Remembers who had which address, so that a container that comes back finds its old one if nobody took it. */
export interface AddressMemory {
  recall(containerId: ContainerId, networkId: string, family: 4 | 6): bigint | undefined
  remember(containerId: ContainerId, endpoint: Endpoint): void
  /** The address that was given out last. */
  cursor(networkId: string, family: 4 | 6): bigint | undefined
}

/** Entries beyond this are forgotten, oldest first: it is only a courtesy. */
const MAX_REMEMBERED = 8192

export function addressMemory(): AddressMemory {
  const last = new Map<string, bigint>()
  const cursors = new Map<string, bigint>()
  const remember = (key: string, text: string, cursorKey: string) => {
    if (text === '') return
    const { value } = parseIp(text, 'address')
    last.delete(key)
    last.set(key, value)
    const [oldest] = last.keys()
    if (last.size > MAX_REMEMBERED && oldest !== undefined) last.delete(oldest)
    cursors.set(cursorKey, value)
  }
  return {
    recall: (containerId, networkId, family) => last.get(`${containerId} ${networkId} ${family}`),
    remember: (containerId, { networkId, ipAddress, ipv6Address }) => {
      remember(`${containerId} ${networkId} 4`, ipAddress, `${networkId} 4`)
      remember(`${containerId} ${networkId} 6`, ipv6Address, `${networkId} 6`)
    },
    cursor: (networkId, family) => cursors.get(`${networkId} ${family}`),
  }
}
