import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { fail, messageOf, parseDurationMs } from '#base'
import { readPolicy, type CollectionPolicy } from '#engine/collection'
import type { DefaultLog } from '#engine/containers'
import { readAddressPool, type DefaultPool } from '#engine/network'
import { readInsecure, readMirror, type RegistryOptions } from '#engine/registry'
import type { LayerKind } from '#engine/snapshots'

import { readDashboard, type DashboardListenOptions } from './dashboard-arguments.ts'
import { readBuildLimits, type BuildLimits } from './building/build-limits.ts'
import { readMetrics, type MetricsOptions } from './metrics-arguments.ts'
import { readRegistry, type RegistryListenOptions } from './registry-arguments.ts'
import { named, readDefaultLog, readLabel } from './settings/default-log-arguments.ts'
import { prefixed } from './settings/prefixed.ts'
import { DEFAULT_CONFIG_PATH, readConfigFile, type ConfigFile, type ConfigKeys, type Values } from './settings/config-file.ts'
import { readTcp, type TcpOptions } from './tcp-arguments.ts'

/** Where one daemon lives. Everything of it, in files and in the kernel, carries its name, so that several share a machine. */
export interface DaemonOptions {
  /** What lasts: images, volumes, records. */
  readonly root: string
  /** What a reboot may take. */
  readonly runDir: string
  readonly socketPath: string
  /** In the name of every link, table and cgroup. */
  readonly instance: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** How layers are kept; undefined: as well as the kernel can. */
  readonly layers: LayerKind | undefined
  readonly registries: RegistryOptions
  /** Where the subnets of networks come from; empty: our own pools. */
  readonly addressPools: readonly DefaultPool[]
  /** Whose subordinate ids containers get for their users: `default`, `USER` or `USER:GROUP`; undefined: the host's own. */
  readonly usernsRemap: string | undefined
  /** The operator's keys for secrets; undefined: one of our own below the root. */
  readonly secretsKeyFile: string | undefined
  /** So often tasks are moved to nodes where they stand better; null: never by itself. */
  readonly rebalanceEveryMs: number | null
  /** What the daemon says of itself, as `KEY=VALUE`. */
  readonly labels: readonly string[]
  /** Of containers that say nothing of their log. */
  readonly containerLog: DefaultLog
  /** Which unused images and build results go by themselves. */
  readonly collection: CollectionPolicy
  /** What builds may take of the machine. */
  readonly builds: BuildLimits
  /** Who may use the socket beside root; undefined: the group `docker`, where there is one. */
  readonly group: string | undefined
  /** undefined: the socket alone. */
  readonly tcp: TcpOptions | undefined
  /** undefined: the registry is kept and not served. */
  readonly registry: RegistryListenOptions | undefined
  /** Who is told of metrics, and how much of them is kept. */
  readonly metrics: MetricsOptions
  /** undefined: the dashboard does not listen before somebody asks for it. */
  readonly dashboard: DashboardListenOptions | undefined
}

const DEFAULT_ROOT = '/var/lib/glovebox'
const DEFAULT_RUN_DIR = '/run/glovebox'
const DEFAULT_NAME = 'glovebox'
const NAME = /^[a-z0-9][a-z0-9-]{0,9}$/
const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const LAYERS = ['auto', 'erofs', 'directory'] as const

const FLAGS = {
  root: { type: 'string' },
  'run-dir': { type: 'string' },
  socket: { type: 'string' },
  name: { type: 'string' },
  config: { type: 'string' },
  'log-level': { type: 'string' },
  'log-driver': { type: 'string' },
  'log-opt': { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  layers: { type: 'string' },
  gc: { type: 'string' },
  'build-parallel': { type: 'string' },
  'build-cpu-shares': { type: 'string' },
  'build-memory': { type: 'string' },
  'build-pids': { type: 'string' },
  'userns-remap': { type: 'string' },
  'secrets-key-file': { type: 'string' },
  'rebalance-every': { type: 'string' },
  'registry-mirror': { type: 'string', multiple: true },
  'insecure-registry': { type: 'string', multiple: true },
  'default-address-pool': { type: 'string', multiple: true },
  group: { type: 'string' },
  tcp: { type: 'string' },
  'tls-ca': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  registry: { type: 'string' },
  'registry-cert': { type: 'string' },
  'registry-key': { type: 'string' },
  'registry-proxy': { type: 'string', multiple: true },
  'metrics-listen': { type: 'string' },
  'metrics-history': { type: 'string' },
  'metrics-remote-write': { type: 'string' },
  'metrics-remote-write-token-file': { type: 'string' },
  'dashboard-listen': { type: 'string' },
  'dashboard-cert': { type: 'string' },
  'dashboard-key': { type: 'string' },
} as const

/** They say where the daemon is, which clients and whoever starts it have to know without reading its file. */
const BEFORE_THE_FILE: readonly string[] = ['root', 'run-dir', 'socket', 'name', 'config']

const KEYS: ConfigKeys = {
  known: Object.fromEntries(
    Object.entries(FLAGS)
      .filter(([name]) => !BEFORE_THE_FILE.includes(name))
      .map(([name, flag]) => [name, { isList: 'multiple' in flag }]),
  ),
  refused: Object.fromEntries(BEFORE_THE_FILE.map((name) => [name, 'say it on the command line'])),
}

/**
 * Reads the daemon's arguments, and the file that `--config` names: by default /etc/glovebox/daemon.json, if it is there. A flag wins over
 * the file. Errors: `input.invalid`, and those of the settings, with the place in the file where they are from there.
 */
export function readDaemonArguments(argv: readonly string[], read: typeof readConfigFile = readConfigFile): DaemonOptions {
  const { values: given } = parseArgs({ args: [...argv], options: FLAGS })
  const file = read(given.config ?? DEFAULT_CONFIG_PATH, KEYS)
  if (file === null && given.config !== undefined) throw fail('input.invalid', `--config ${given.config}: there is no such file`)
  try {
    return optionsOf({ ...file?.values, ...given })
  } catch (error) {
    throw file === null ? error : inFile(error, file, given)
  }
}

/** Messages name the flag: one that only the file has is found there. */
function inFile(error: unknown, { values, place }: ConfigFile, given: Values): unknown {
  const isFrom = (name: string) => given[name] === undefined && new RegExp(`--${name}(?![\\w-])`).test(messageOf(error))
  const key = Object.keys(values).find(isFrom)
  return key === undefined ? error : prefixed(error, place(key))
}

function optionsOf(values: FlagValues): DaemonOptions {
  const root = resolve(values.root ?? DEFAULT_ROOT)
  const runDir = resolve(values['run-dir'] ?? DEFAULT_RUN_DIR)
  const logLevel = oneOf(LEVELS, 'log-level', values['log-level'] ?? 'info')
  const layers = oneOf(LAYERS, 'layers', values.layers ?? 'auto')
  const instance = values.name ?? DEFAULT_NAME
  if (!NAME.test(instance)) throw fail('input.invalid', `--name ${instance}: 1 to 10 lower-case letters, digits and dashes`)
  return {
    root,
    runDir,
    socketPath: resolve(values.socket ?? `${runDir}/docker.sock`),
    instance,
    logLevel,
    layers: layers === 'auto' ? undefined : layers,
    collection: named('--gc', () => readPolicy(values.gc ?? 'on')),
    builds: readBuildLimits(values),
    usernsRemap: values['userns-remap'],
    secretsKeyFile: values['secrets-key-file'] === undefined ? undefined : resolve(values['secrets-key-file']),
    rebalanceEveryMs: readRebalance(values['rebalance-every'] ?? 'off'),
    registries: {
      mirrors: (values['registry-mirror'] ?? []).map(readMirror),
      insecure: (values['insecure-registry'] ?? []).map(readInsecure),
    },
    addressPools: (values['default-address-pool'] ?? []).map(readAddressPool),
    labels: (values.label ?? []).map(readLabel),
    containerLog: readDefaultLog(values),
    group: values.group,
    tcp: readTcp(values),
    registry: readRegistry(values),
    metrics: readMetrics(values),
    dashboard: readDashboard(values),
  }
}

type FlagValues = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>['values']

/** More often than tasks start they would be moved to and fro. */
const LEAST_REBALANCE_MS = 60_000

function readRebalance(text: string): number | null {
  if (text === 'off') return null
  const everyMs = named('--rebalance-every', () => parseDurationMs(text, '--rebalance-every'))
  if (everyMs < LEAST_REBALANCE_MS)
    throw fail('input.invalid', `--rebalance-every ${text}: at least ${LEAST_REBALANCE_MS / 1000}s, or off`)
  return everyMs
}

function oneOf<T extends string>(known: readonly T[], flag: string, value: string): T {
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  throw fail('input.invalid', `--${flag} ${value}: choose one of ${known.join(', ')}`)
}
