import { cliError } from '../errors.ts'
import { compact } from './compact.ts'
import type { CreateFlags } from './flags.ts'

interface Wanted {
  readonly name: string
  readonly aliases: readonly string[]
  readonly options: ReadonlyMap<string, string>
  readonly driverOptions: readonly string[]
}

/** The network mode, and the endpoints of a container on every network that was named. Errors: `cli.usage`. */
export function networking(flags: CreateFlags): { readonly mode: string | undefined; readonly config: object | undefined } {
  const wanted = flags.network.map(networkWord)
  const [first] = wanted
  const spoken = first !== undefined && (first.options.size > 0 || first.aliases.length > 0)
  const own = compact({
    Aliases: [...(first?.aliases ?? []), ...flags['network-alias']],
    Links: isUserDefined(first?.name) ? flags.link : [],
    IPAMConfig: orNothing({
      IPv4Address: flags.ip ?? first?.options.get('ip'),
      IPv6Address: flags.ip6 ?? first?.options.get('ip6'),
      LinkLocalIPs: [...flags['link-local-ip'], ...listOf(first, 'link-local-ip')],
    }),
    MacAddress: flags['mac-address'] ?? first?.options.get('mac-address'),
    GwPriority: priority(first),
    DriverOpts: driverOptions(first),
  })
  const others = wanted.slice(1).map((one): [string, object] => [one.name, endpoint(one)])
  if (others.length === 0 && Object.keys(own).length === 0 && !spoken) return { mode: first?.name, config: undefined }
  return { mode: first?.name, config: { EndpointsConfig: { [first?.name ?? 'bridge']: own, ...Object.fromEntries(others) } } }
}

/** Links on the default bridge belong to the host configuration, elsewhere to the endpoint. */
export function isUserDefined(network: string | undefined): boolean {
  return network !== undefined && !['default', 'bridge', 'none', 'host'].includes(network) && !network.startsWith('container:')
}

function endpoint(wanted: Wanted): object {
  return compact({
    Aliases: wanted.aliases,
    IPAMConfig: orNothing({
      IPv4Address: wanted.options.get('ip'),
      IPv6Address: wanted.options.get('ip6'),
      LinkLocalIPs: listOf(wanted, 'link-local-ip'),
    }),
    MacAddress: wanted.options.get('mac-address'),
    GwPriority: priority(wanted),
    DriverOpts: driverOptions(wanted),
  })
}

const KEYS = ['name', 'alias', 'ip', 'ip6', 'mac-address', 'link-local-ip', 'driver-opt', 'gw-priority']

/** A name, or `name=app,alias=db,ip=10.0.0.5`. */
function networkWord(word: string): Wanted {
  if (!word.includes('=')) return { name: word, aliases: [], options: new Map(), driverOptions: [] }
  const pairs = word.split(',').map((part): [string, string] => {
    const at = part.indexOf('=')
    return [part.slice(0, Math.max(at, 0)).trim().toLowerCase(), part.slice(at + 1).trim()]
  })
  const unknown = pairs.find(([key]) => !KEYS.includes(key))
  if (unknown !== undefined)
    throw cliError('cli.usage', `--network: ${JSON.stringify(word)}: ${JSON.stringify(unknown[0])} is none of ${KEYS.join(', ')}`)
  const all = (key: string) => pairs.filter(([name]) => name === key).map(([, value]) => value)
  const [name = ''] = all('name')
  if (name === '') throw cliError('cli.usage', `--network: ${JSON.stringify(word)}: the name is missing: name=NETWORK`)
  return { name, aliases: all('alias'), options: new Map(pairs), driverOptions: all('driver-opt') }
}

function listOf(wanted: Wanted | undefined, key: string): readonly string[] {
  const value = wanted?.options.get(key)
  return value === undefined ? [] : [value]
}

function priority(wanted: Wanted | undefined): number | undefined {
  const text = wanted?.options.get('gw-priority')
  if (text === undefined) return undefined
  if (/^-?\d+$/.test(text)) return Number(text)
  throw cliError('cli.usage', `--network: gw-priority ${JSON.stringify(text)} is not a whole number`)
}

function driverOptions(wanted: Wanted | undefined): object | undefined {
  if (wanted === undefined || wanted.driverOptions.length === 0) return undefined
  return Object.fromEntries(
    wanted.driverOptions.map((option) => [option.split('=')[0] ?? '', option.split('=').slice(1).join('=')]),
  )
}

function orNothing(fields: Readonly<Record<string, unknown>>): object | undefined {
  const said = compact(fields)
  return Object.keys(said).length === 0 ? undefined : said
}
