import type { ForwardChain } from './port-forwarding.ts'

/** A rule `iifname "x*" accept` or `-i x+ -j ACCEPT`. `handle` is nft's number of it. */
export interface LinkRule {
  readonly direction: 'in' | 'out'
  readonly link: string
  readonly handle: number
}

interface ReadChain {
  readonly name: ForwardChain['name']
  readonly isDrop: boolean
  readonly rules: readonly LinkRule[]
}

/** The `filter` table of iptables-nft as `nft -a list table` prints it. */
export function readNftForward(table: string | undefined): ReadChain | undefined {
  const bodyOf = (name: string) => new RegExp(`^\\s*chain ${name} \\{[^\\n]*\\n([^}]*)`, 'm').exec(table ?? '')?.[1]
  const forward = bodyOf('FORWARD')
  if (forward === undefined) return undefined
  const dockerUser = bodyOf('DOCKER-USER')
  const rule = /^\s*(i|o)ifname "([^"]+)" (?:counter packets \d+ bytes \d+ )?accept # handle (\d+)\s*$/gm
  return {
    name: dockerUser === undefined ? 'FORWARD' : 'DOCKER-USER',
    isDrop: /hook forward .*policy drop/.test(forward),
    rules: [...(dockerUser ?? forward).matchAll(rule)].map(([, side, link = '', handle]) => ({
      direction: side === 'i' ? 'in' : 'out',
      link,
      handle: Number(handle),
    })),
  }
}

/** What `iptables-legacy -S` prints. */
export function readLegacyForward(listing: string): ReadChain | undefined {
  const policy = /^-P FORWARD (\w+)$/m.exec(listing)?.[1]
  if (policy === undefined) return undefined
  const name = /^-N DOCKER-USER$/m.test(listing) ? 'DOCKER-USER' : 'FORWARD'
  const rule = new RegExp(`^-A ${name} -(i|o) (\\S+) -j ACCEPT$`, 'gm')
  return {
    name,
    isDrop: policy === 'DROP',
    rules: [...listing.matchAll(rule)].map(([, side, link = '']) => ({
      direction: side === 'i' ? 'in' : 'out',
      link: link.replace(/\+$/, '*'),
      handle: 0,
    })),
  }
}

/** Links with a rule for each direction. */
export function allowedLinks(rules: readonly LinkRule[]): readonly string[] {
  const outward = new Set(rules.filter(({ direction }) => direction === 'out').map(({ link }) => link))
  return [...new Set(rules.filter(({ direction, link }) => direction === 'in' && outward.has(link)).map(({ link }) => link))]
}
