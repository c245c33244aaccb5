import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

import { messageOf, systemCodeOf } from '#base'

import { hostError } from './errors.ts'
import { allowedLinks, readLegacyForward, readNftForward } from './forward-chains.ts'
import type { ForwardChain, ForwardingPort } from './port-forwarding.ts'
import type { NftablesPort } from './port-network.ts'

/** Listings of a host with thousands of rules; more is not read. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024
/** iptables takes a lock of the whole host; whoever holds it longer than this has hung. */
const LOCK_WAIT_S = '5'
const FAMILIES = [4, 6] as const

export function linuxForwarding(nftables: NftablesPort): ForwardingPort {
  const nftTable = (family: 4 | 6) => nftables.listTable(family === 4 ? 'ip' : 'ip6', 'filter', { hasHandles: true })
  const nftChain = async (family: 4 | 6): Promise<readonly ForwardChain[]> => {
    const read = readNftForward(await nftTable(family))
    if (read === undefined) return []
    return [{ family, backend: 'nft', name: read.name, isDrop: read.isDrop, allowed: allowedLinks(read.rules) }]
  }
  const legacyChain = async (family: 4 | 6): Promise<readonly ForwardChain[]> => {
    if (!hasLegacyFilter(family)) return []
    const read = readLegacyForward(await runLegacy(family, ['-S']))
    if (read === undefined) return []
    return [{ family, backend: 'legacy', name: read.name, isDrop: read.isDrop, allowed: allowedLinks(read.rules) }]
  }
  return {
    chains: async () => (await Promise.all(FAMILIES.flatMap((family) => [nftChain(family), legacyChain(family)]))).flat(),
    allow: async (chain, links) => {
      const missing = links.filter((link) => !chain.allowed.includes(link))
      if (missing.length === 0) return
      if (chain.backend === 'nft') return await nftables.apply(nftRules(chain, missing))
      for (const link of missing)
        for (const side of ['-i', '-o']) await runLegacy(chain.family, [...legacyPlace(chain), ...legacyRule(side, link)])
    },
    disallow: async (chain, links) => {
      if (chain.backend === 'nft') {
        const rules = readNftForward(await nftTable(chain.family))?.rules ?? []
        const family = chain.family === 4 ? 'ip' : 'ip6'
        const script = rules
          .filter(({ link }) => links.includes(link))
          .map(({ handle }) => `delete rule ${family} filter ${chain.name} handle ${handle}\n`)
          .join('')
        return script === '' ? undefined : await nftables.apply(script)
      }
      for (const link of links.filter((one) => chain.allowed.includes(one)))
        for (const side of ['-i', '-o']) await runLegacy(chain.family, ['-D', chain.name, ...legacyRule(side, link)])
    },
  }
}

/**
 * First in Docker's chain for others, which ends in a return; last in a FORWARD chain, where what the host's owner wrote before still
 * counts and only the policy is overruled. iptables reads nft's rules back as `-i gb-...+`.
 */
function nftRules({ family, name }: ForwardChain, links: readonly string[]): string {
  const verb = name === 'DOCKER-USER' ? 'insert' : 'add'
  const chain = `${family === 4 ? 'ip' : 'ip6'} filter ${name}`
  return links
    .flatMap((link) => ['iifname', 'oifname'].map((side) => `${verb} rule ${chain} ${side} "${link}" accept\n`))
    .join('')
}

function legacyPlace({ name }: ForwardChain): readonly string[] {
  return [name === 'DOCKER-USER' ? '-I' : '-A', name]
}

function legacyRule(side: string, link: string): readonly string[] {
  return [side, link.replace(/\*$/, '+'), '-j', 'ACCEPT']
}

/** The kernel lists tables of the old kind once they were used: asking iptables itself would make them. */
function hasLegacyFilter(family: 4 | 6): boolean {
  try {
    const names = readFileSync(`/proc/thread-self/net/ip${family === 4 ? '' : '6'}_tables_names`, 'utf8')
    return names.split('\n').includes('filter')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false
    throw error
  }
}

async function runLegacy(family: 4 | 6, args: readonly string[]): Promise<string> {
  const program = `ip${family === 4 ? '' : '6'}tables-legacy`
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(program, ['-w', LOCK_WAIT_S, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaint = ''
  const doing = `${program} ${args.join(' ')}`
  child.on('error', (error) =>
    reject(
      hostError('host.nftables_failed', `${doing}: ${messageOf(error)}`, {
        cause: error,
        hint: 'This host has rules of the old iptables; install the package iptables to change them.',
      }),
    ),
  )
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (output.length < MAX_OUTPUT_BYTES) output += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk.slice(0, 2000 - complaint.length)))
  child.on('close', (code, signal) =>
    code === 0
      ? resolve(output)
      : reject(hostError('host.nftables_failed', `${doing}: ${complaint.trim() || `ended with ${signal ?? code}`}`)),
  )
  return promise
}
