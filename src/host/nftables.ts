import { spawn } from 'node:child_process'

import { messageOf, systemCodeOf } from '#base'
import { hostError } from './errors.ts'
import type { NftablesPort, NftFamily } from './port-network.ts'

/** A table with tens of thousands of elements prints a few MB; more than this is not ours. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** How much of nft's complaint goes into a message: it repeats the offending line. */
const MAX_COMPLAINT_CHARS = 2000

const FAMILIES: ReadonlySet<string> = new Set(['ip', 'ip6', 'inet', 'bridge', 'arp', 'netdev'])

export function linuxNftables(): NftablesPort {
  const isMissing = (error: unknown) => /No such file or directory/.test(messageOf(error))
  return {
    apply: async (script) => {
      await runNft(['-f', '-'], script)
    },
    listTable: async (family, name, { hasHandles = false } = {}) => {
      try {
        return await runNft([...(hasHandles ? ['-a'] : []), 'list', 'table', family, name])
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    listSet: async (family, table, name) => {
      try {
        return await runNft(['list', 'set', family, table, name])
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    listTables: async () =>
      (await runNft(['list', 'tables'])).split('\n').flatMap((line) => {
        const [, family = '', name] = line.trim().split(' ')
        return name !== undefined && FAMILIES.has(family) ? [{ family: family as NftFamily, name }] : []
      }),
    deleteTable: async (family, name) => {
      try {
        await runNft(['delete', 'table', family, name])
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    },
  }
}

/** Runs nft in the namespace of the daemon and gives its output. */
async function runNft(args: readonly string[], input = ''): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn('nft', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  let outputBytes = 0
  let complaint = ''
  const doing = `nft ${args.join(' ')}`
  child.on('error', (error) => {
    const isAbsent = systemCodeOf(error) === 'ENOENT'
    reject(
      hostError(isAbsent ? 'host.unsupported' : 'host.nftables_failed', `${doing}: ${messageOf(error)}`, {
        cause: error,
        ...(isAbsent ? { hint: 'Install the package nftables.' } : {}),
      }),
    )
  })
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length
    if (outputBytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL')
    else output.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < MAX_COMPLAINT_CHARS) complaint += chunk.toString('utf8')
  })
  // nft may end before it has read everything; its exit code then says why.
  child.stdin.on('error', () => undefined)
  child.on('close', (code, signal) => {
    if (code === 0) return resolve(Buffer.concat(output).toString('utf8'))
    const said = complaint.trim().slice(0, MAX_COMPLAINT_CHARS)
    reject(hostError('host.nftables_failed', `${doing}: ${said === '' ? `ended with ${signal ?? code}` : said}`))
  })
  child.stdin.end(input)
  return promise
}
