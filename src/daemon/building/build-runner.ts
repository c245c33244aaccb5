import type { BuildRunner, RunSpec } from '#engine/build'
import { mergeEnv, type ContainersService, type ContainerSpec } from '#engine/containers'

import { emptySpec } from './empty-spec.ts'

/** The default network of containers: a RUN step reaches the outside through it. */
const DEFAULT_NETWORK = 'bridge'

/** RUN steps as containers that nobody sees. */
export function buildRunner({ containers }: { readonly containers: ContainersService }): BuildRunner {
  return {
    mountKinds: new Set(['tmpfs']),
    run: async (run) =>
      await containers.runTransient({ layers: run.layers, spec: specOf(run), onOutput: run.onOutput, signal: run.signal }),
  }
}

function specOf(run: RunSpec): ContainerSpec {
  const base = emptySpec()
  const { limits } = run
  return {
    ...base,
    process: {
      ...base.process,
      entrypoint: null,
      cmd: run.args,
      env: mergeEnv(base.process.env, run.env),
      workingDir: run.workingDir === '' ? '/' : run.workingDir,
      user: run.user,
    },
    mounts: run.mounts.flatMap((mount) =>
      mount.kind === 'tmpfs'
        ? [{ type: 'tmpfs' as const, target: mount.target, sizeBytes: mount.sizeBytes ?? null, mode: null, options: [] }]
        : [],
    ),
    network: networkOf(run, base),
    resources: {
      ...base.resources,
      memoryBytes: limits.memoryBytes ?? null,
      memorySwapBytes: limits.memorySwapBytes ?? null,
      cpuShares: limits.cpuShares ?? null,
      cpuPeriodUs: limits.cpuPeriodUs ?? null,
      cpuQuotaUs: limits.cpuQuotaUs ?? null,
      cpusetCpus: limits.cpusetCpus ?? '',
      shmBytes: limits.shmBytes ?? base.resources.shmBytes,
    },
    log: { driver: 'none', options: {} },
  }
}

function networkOf(run: RunSpec, { network }: ContainerSpec): ContainerSpec['network'] {
  const extraHosts = run.limits.extraHosts ?? []
  if (run.network !== 'default') return { ...network, mode: run.network, extraHosts }
  const endpoint = { aliases: [], ipv4Address: null, ipv6Address: null, macAddress: null }
  return { ...network, mode: DEFAULT_NETWORK, endpoints: { [DEFAULT_NETWORK]: endpoint }, extraHosts }
}
