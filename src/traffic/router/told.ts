import { certificateCommands, NO_CERTIFICATES, toldOf, type CertificateFiles, type ToldCertificates } from './certificate-plan.ts'
import type { ProxyConfig } from './config.ts'
import type { Proxy, ProxyInput } from './proxy.ts'
import { mapCommands } from './runtime-plan.ts'
import { parseMap } from './runtime-state.ts'

type Maps = ReadonlyMap<string, ReadonlyMap<string, string>>

/** What the running proxy looks up and which certificates it shows: remembered while we are the only ones who tell it, and asked for after that. */
export interface ToldProxy {
  /** Without a reload. False: it needs one, or did not do as told. */
  bring(config: ProxyConfig, maps: Maps, certificates: CertificateFiles): Promise<boolean>
  /** It read this from its files. */
  loaded(maps: Maps, certificates: CertificateFiles): void
  /** Somebody else may have told it. */
  forget(): void
}

export function toldProxy(proxy: Proxy): ToldProxy {
  let told: { readonly maps: Maps; readonly certificates: ToldCertificates } | undefined
  const bring = async (config: ProxyConfig, maps: Maps, certificates: CertificateFiles): Promise<boolean> => {
    const known = told ?? { maps: await readMaps(proxy, maps), certificates: await readCertificates(proxy, config) }
    told = undefined
    const change = certificateCommands(certificates, known.certificates)
    if (change.needsReload) return false
    for (const command of change.commands) {
      const said = await proxy.ask(command)
      if (/^(commit|add) /.test(command) && !said.includes('Success!')) return false
    }
    const commands = mapCommands(maps, known.maps)
    // It has nothing to say when all went well.
    if (commands.length > 0 && (await proxy.run(commands)) !== '') return false
    told = { maps, certificates: toldOf(certificates) }
    return true
  }
  return {
    bring,
    loaded: (maps, certificates) => (told = { maps, certificates: toldOf(certificates) }),
    forget: () => (told = undefined),
  }
}

async function readMaps(proxy: Proxy, wanted: Maps): Promise<Maps> {
  const found = new Map<string, ReadonlyMap<string, string>>()
  for (const path of wanted.keys()) found.set(path, parseMap(await proxy.ask(`show map ${path}`)))
  return found
}

/** What is in them cannot be asked for, so they are all told again. */
async function readCertificates(proxy: Proxy, config: ProxyConfig): Promise<ToldCertificates> {
  if (config.certificateLists.size === 0) return NO_CERTIFICATES
  const lists = new Map<string, readonly { path: string; text: string }[]>()
  for (const list of config.certificateLists.keys()) {
    const lines = (await proxy.ask(`show ssl crt-list ${list}`))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    lists.set(
      list,
      lines.map((text) => ({ path: text.split(' ')[0] ?? '', text })),
    )
  }
  const stored = (await proxy.ask('show ssl cert')).split('\n').filter((line) => line.startsWith('certificates/'))
  return { pems: new Map(stored.map((path) => [path, ''])), lists }
}

/** Everything that HAProxy reads. */
export function proxyInput(config: ProxyConfig, maps: Maps, certificates: CertificateFiles): ProxyInput {
  const lists = [...certificates.lists].map(([path, lines]) => [path, `${lines.map((line) => line.text).join('\n')}\n`] as const)
  const tables = [...maps].map(
    ([path, entries]) => [path, [...entries].map(([key, value]) => `${key} ${value}\n`).join('')] as const,
  )
  return { text: config.text, fingerprint: config.fingerprint, files: new Map([...tables, ...lists, ...certificates.pems]) }
}
