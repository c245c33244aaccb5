import type { BuildRunner, RunSpec } from '#engine/builder'
import { mergeEnv, type ContainersService, type ContainerSpec } from '#engine/containers'
import type { Host } from '#host'

import { emptySpec } from './empty-spec.ts'
import { prepareMounts, type MountNeeds } from './run-mounts.ts'

/** The default network of containers: a RUN step reaches the outside through it. */
const DEFAULT_NETWORK = 'bridge'

/** Of each command of a build, unless the build says otherwise. */
export interface RunDefaults {
  /** Docker's scale, on which containers have 1024: what runs beside comes first when the processors are short. */
  readonly cpuShares: number
  readonly memoryBytes: number
  readonly pids: number
}

export interface RunnerNeeds extends MountNeeds {
  readonly containers: ContainersService
  readonly host: Pick<Host, 'cgroups'>
  readonly runDefaults: RunDefaults
}

/** RUN steps as containers that nobody sees. */
export function buildRunner(needs: RunnerNeeds): BuildRunner {
  return {
    run: async (run) => {
      // The first move into a new cgroup waits for the kernel: meanwhile the root is mounted.
      void needs.host.cgroups.warm()
      await using undo = new AsyncDisposableStack()
      const { resolved, specs } = await prepareMounts(run.mounts, needs, undo)
      return await needs.containers.runTransient({
        layers: run.layers,
        spec: { ...specOf(run, needs.runDefaults), mounts: specs },
        mounts: resolved,
        onOutput: run.onOutput,
        signal: run.signal,
      })
    },
  }
}

function specOf(run: RunSpec, defaults: RunDefaults): ContainerSpec {
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
    security: { ...base.security, isPrivileged: run.isInsecure },
    network: networkOf(run, base),
    resources: {
      ...base.resources,
      memoryBytes: limits.memoryBytes ?? defaults.memoryBytes,
      memorySwapBytes: limits.memorySwapBytes ?? null,
      cpuShares: limits.cpuShares ?? defaults.cpuShares,
      pidsLimit: limits.pids ?? defaults.pids,
      cpuPeriodUs: limits.cpuPeriodUs ?? null,
      cpuQuotaUs: limits.cpuQuotaUs ?? null,
      cpusetCpus: limits.cpusetCpus ?? '',
      cpusetMems: limits.cpusetMems ?? '',
      ulimits: limits.ulimits ?? base.resources.ulimits,
      cgroupParent: limits.cgroupParent ?? base.resources.cgroupParent,
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
