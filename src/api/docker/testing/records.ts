import type { ContainerId, Digest, EndpointId, NetworkId } from '#base'
import { DEFAULT_LOG, withDefaultLog } from '#engine/containers'
import type { ContainerRecord, ContainerSpec } from '#engine/containers'
import type { ImageRecord } from '#engine/images'
import type { Network } from '#engine/network'
import type { VolumeRecord } from '#engine/volumes'

import type { EngineHost, EngineVersion } from '../engine.ts'
import { createSpec } from '../translate/create-body.ts'

const IMAGE_ID = `sha256:${'ab'.repeat(32)}` as Digest
export const CREATED_AT = '2026-01-02T03:04:05.678901234Z'

export function imageRecord(change: Partial<ImageRecord> = {}): ImageRecord {
  return {
    id: IMAGE_ID,
    tags: ['box:1'],
    repoDigests: [],
    architecture: 'amd64',
    os: 'linux',
    variant: '',
    author: '',
    comment: '',
    created: CREATED_AT,
    config: {
      user: '',
      exposedPorts: ['80/tcp'],
      env: ['PATH=/bin', 'LANG=C'],
      entrypoint: null,
      cmd: ['sh'],
      volumes: ['/data'],
      workingDir: '/srv',
      labels: { maker: 'us' },
      stopSignal: '',
      shell: null,
      onBuild: [],
      healthcheck: null,
    },
    layers: [{ diffId: `sha256:${'01'.repeat(32)}` as Digest, sizeBytes: 1000 }],
    history: [{ created: CREATED_AT, createdBy: 'ADD rootfs.tar /', author: '', comment: '', isEmptyLayer: false }],
    sizeBytes: 1000,
    lastTaggedAt: CREATED_AT,
    parent: null,
    ...change,
  }
}

export function specOf(body: Readonly<Record<string, unknown>>, minor = 51): ContainerSpec {
  const surroundings = {
    image: imageRecord(),
    minor,
    cpus: 4,
    runtimes: ['crun'],
    containerOf: () => containerRecord({}),
  }
  return createSpec({ Image: 'box:1', ...body }, surroundings).spec
}

/** As the engine writes it down. */
function settled(spec: ContainerSpec): ContainerSpec {
  return { ...spec, log: withDefaultLog(DEFAULT_LOG, spec.log) }
}

export function containerRecord(change: {
  readonly id?: string
  readonly name?: string
  readonly spec?: ContainerSpec
  readonly createdAt?: string
  readonly status?: Partial<ContainerRecord['status']>
  readonly mounts?: ContainerRecord['mounts']
}): ContainerRecord {
  return {
    id: (change.id ?? 'c0'.repeat(32)) as ContainerId,
    name: change.name ?? 'web',
    createdAt: change.createdAt ?? CREATED_AT,
    spec: settled(change.spec ?? specOf({})),
    status: {
      state: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      isOomKilled: false,
      startedAt: '',
      finishedAt: '',
      restartCount: 0,
      isManuallyStopped: false,
      health: null,
      endpoints: {},
      ports: [],
      ...change.status,
    },
    mounts: change.mounts ?? [],
  }
}

export const ENDPOINT = {
  networkId: 'ee'.repeat(32) as NetworkId,
  endpointId: 'dd'.repeat(32) as EndpointId,
  gateway: '172.17.0.1',
  ipAddress: '172.17.0.2',
  ipPrefixLength: 16,
  ipv6Gateway: '',
  ipv6Address: '',
  ipv6PrefixLength: 0,
  macAddress: '02:42:ac:11:00:02',
  aliases: ['web'],
  dnsNames: ['web', 'c0c0c0c0c0c0'],
}

export function bridgeNetwork(): Network {
  return {
    id: ENDPOINT.networkId,
    name: 'bridge',
    driver: 'bridge',
    createdAt: CREATED_AT,
    isInternal: false,
    isAttachable: false,
    hasIpv4: true,
    hasIpv6: false,
    isPredefined: true,
    subnets: [
      { family: 4, subnet: '172.17.0.0/16', gateway: '172.17.0.1', ipRange: null, auxiliaryAddresses: {}, isAutomatic: true },
    ],
    options: {},
    labels: {},
    bridge: 'gb0',
  }
}

export function volumeRecord(name: string, change: Partial<VolumeRecord> = {}): VolumeRecord {
  const mountpoint = `/volumes/${name}/_data`
  return { name, driver: 'local', mountpoint, createdAt: CREATED_AT, labels: {}, options: {}, isAnonymous: false, ...change }
}

export const VERSION: EngineVersion = {
  version: '0.1.0',
  gitCommit: '0000000',
  buildTime: CREATED_AT,
  kernelVersion: '6.18.0',
  architecture: 'amd64',
  components: [{ name: 'crun', version: '1.8.1', details: { GitCommit: '' } }],
}

export const HOST: EngineHost = {
  id: 'e1',
  hostname: 'host',
  rootDir: '/var/lib/glovebox',
  kernelVersion: '6.18.0',
  operatingSystem: 'Debian GNU/Linux 12',
  osVersion: '12',
  architecture: 'x86_64',
  cpus: 4,
  memoryBytes: 8 * 1024 ** 3,
  cgroupVersion: '1',
  cgroupDriver: 'cgroupfs',
  storageDriver: 'overlay',
  storageStatus: [['Layers', 'erofs']],
  runtimes: { crun: '/usr/bin/crun' },
  defaultRuntime: 'crun',
  securityOptions: ['name=seccomp,profile=builtin'],
  networkDrivers: ['bridge', 'host', 'null'],
  labels: ['rack=7'],
  logDriver: 'json-file',
  registries: { mirrors: ['https://mirror.example.org'], insecure: ['10.0.0.0/8', 'registry.internal:5000'] },
  addressPools: [{ base: '10.1.0.0/16', size: 24 }],
  warnings: [],
  hasMemoryLimit: true,
  hasSwapLimit: true,
  hasCpuQuota: true,
  hasCpuShares: true,
  hasCpuset: true,
  hasPidsLimit: true,
  hasOomKillDisable: true,
  hasIpv4Forwarding: true,
  hasBridgeNetfilter: { ipv4: true, ipv6: true },
  isDebug: false,
  isLiveRestoring: true,
  eventListeners: 0,
  openFiles: 20,
}
