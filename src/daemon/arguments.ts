import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { fail } from '#base'
import { readPolicy, type CollectionPolicy } from '#engine/collection'
import { readAddressPool, type DefaultPool } from '#engine/network'
import { readInsecure, readMirror, type RegistryOptions } from '#engine/registry'
import type { LayerKind } from '#engine/snapshots'

import { readBuildLimits, type BuildLimits } from './building/build-limits.ts'
import { readRegistry, type RegistryListenOptions } from './registry-arguments.ts'
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
}

const DEFAULT_ROOT = '/var/lib/glovebox'
const DEFAULT_RUN_DIR = '/run/glovebox'
const DEFAULT_NAME = 'glovebox'
const NAME = /^[a-z0-9][a-z0-9-]{0,9}$/
const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const LAYERS = ['auto', 'erofs', 'directory'] as const

/** Reads the daemon's arguments. Errors: `input.invalid`. */
export function readDaemonArguments(argv: readonly string[]): DaemonOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      root: { type: 'string', default: DEFAULT_ROOT },
      'run-dir': { type: 'string', default: DEFAULT_RUN_DIR },
      socket: { type: 'string' },
      name: { type: 'string', default: DEFAULT_NAME },
      'log-level': { type: 'string', default: 'info' },
      layers: { type: 'string', default: 'auto' },
      gc: { type: 'string', default: 'on' },
      'build-parallel': { type: 'string' },
      'build-cpu-shares': { type: 'string' },
      'build-memory': { type: 'string' },
      'build-pids': { type: 'string' },
      'userns-remap': { type: 'string' },
      'registry-mirror': { type: 'string', multiple: true, default: [] },
      'insecure-registry': { type: 'string', multiple: true, default: [] },
      'default-address-pool': { type: 'string', multiple: true, default: [] },
      group: { type: 'string' },
      tcp: { type: 'string' },
      'tls-ca': { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      registry: { type: 'string' },
      'registry-cert': { type: 'string' },
      'registry-key': { type: 'string' },
      'registry-proxy': { type: 'string', multiple: true, default: [] },
    },
  })
  const root = resolve(values.root)
  const runDir = resolve(values['run-dir'])
  const logLevel = LEVELS.find((level) => level === values['log-level'])
  if (logLevel === undefined)
    throw fail('input.invalid', `--log-level ${values['log-level']}: choose one of ${LEVELS.join(', ')}`)
  const layers = LAYERS.find((kind) => kind === values.layers)
  if (layers === undefined) throw fail('input.invalid', `--layers ${values.layers}: choose one of ${LAYERS.join(', ')}`)
  const instance = values.name
  if (!NAME.test(instance)) throw fail('input.invalid', `--name ${instance}: 1 to 10 lower-case letters, digits and dashes`)
  return {
    root,
    runDir,
    socketPath: resolve(values.socket ?? `${runDir}/docker.sock`),
    instance,
    logLevel,
    layers: layers === 'auto' ? undefined : layers,
    collection: readPolicy(values.gc),
    builds: readBuildLimits(values),
    usernsRemap: values['userns-remap'],
    registries: {
      mirrors: values['registry-mirror'].map(readMirror),
      insecure: values['insecure-registry'].map(readInsecure),
    },
    addressPools: values['default-address-pool'].map(readAddressPool),
    group: values.group,
    tcp: readTcp(values),
    registry: readRegistry(values),
  }
}
