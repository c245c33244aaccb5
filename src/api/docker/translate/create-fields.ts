import type { FieldTable } from './fields.ts'

const HEALTHCHECK: FieldTable = {
  fields: { Test: 'taken', Interval: 'taken', Timeout: 'taken', Retries: 'taken', StartPeriod: 'taken', StartInterval: 'taken' },
}

const MOUNT: FieldTable = {
  fields: {
    Type: 'taken',
    Source: 'taken',
    Target: 'taken',
    ReadOnly: 'taken',
    // Meant for Docker Desktop's file sharing; orders nothing on Linux.
    Consistency: 'reported',
    BindOptions: {
      fields: {
        Propagation: 'taken',
        NonRecursive: 'taken',
        CreateMountpoint: 'taken',
        ReadOnlyNonRecursive: 'taken',
        ReadOnlyForceRecursive: 'taken',
      },
    },
    VolumeOptions: {
      fields: {
        NoCopy: 'taken',
        Labels: 'taken',
        Subpath: 'taken',
        DriverConfig: { fields: { Name: 'taken', Options: 'taken' } },
      },
    },
    TmpfsOptions: { fields: { SizeBytes: 'taken', Mode: 'taken', Options: 'taken' } },
    ImageOptions: 'unused',
    ClusterOptions: 'unused',
  },
}

export const ENDPOINT: FieldTable = {
  fields: {
    IPAMConfig: { fields: { IPv4Address: 'taken', IPv6Address: 'taken', LinkLocalIPs: 'taken' } },
    Aliases: 'taken',
    MacAddress: 'taken',
    Links: 'taken',
    DriverOpts: 'taken',
    GwPriority: 'taken',
    NetworkID: 'reported',
    EndpointID: 'reported',
    Gateway: 'reported',
    IPAddress: 'reported',
    IPPrefixLen: 'reported',
    IPv6Gateway: 'reported',
    GlobalIPv6Address: 'reported',
    GlobalIPv6PrefixLen: 'reported',
    DNSNames: 'reported',
  },
}

const RESOURCE_FIELDS: FieldTable['fields'] = {
  Memory: 'taken',
  MemorySwap: 'taken',
  MemoryReservation: 'taken',
  // -1 stands for "not set" and is checked where it is read.
  MemorySwappiness: 'taken',
  NanoCpus: 'taken',
  NanoCPUs: 'taken',
  CpuShares: 'taken',
  CpuPeriod: 'taken',
  CpuQuota: 'taken',
  CpusetCpus: 'taken',
  CpusetMems: 'taken',
  PidsLimit: 'taken',
  BlkioWeight: 'taken',
  BlkioDeviceReadBps: 'taken',
  BlkioDeviceWriteBps: 'taken',
  BlkioDeviceReadIOps: 'taken',
  BlkioDeviceWriteIOps: 'taken',
  OomKillDisable: 'taken',
  Ulimits: 'taken',
  CgroupParent: 'taken',
  Devices: 'taken',
  DeviceCgroupRules: 'taken',
  BlkioWeightDevice: 'taken',
  CpuRealtimePeriod: 'taken',
  CpuRealtimeRuntime: 'taken',
  // GPUs and devices of the Container Device Interface: refused by name where they are read.
  DeviceRequests: 'taken',
  // The kernel has given this limit up: discarded with a warning, as dockerd does.
  KernelMemory: 'taken',
  KernelMemoryTCP: 'taken',
  CpuCount: 'unused',
  CpuPercent: 'unused',
  IOMaximumIOps: 'unused',
  IOMaximumBandwidth: 'unused',
}

const HOST_CONFIG: FieldTable = {
  fields: {
    ...RESOURCE_FIELDS,
    Binds: 'taken',
    // The CLI writes the file itself.
    ContainerIDFile: 'reported',
    LogConfig: { fields: { Type: 'taken', Config: 'taken' } },
    NetworkMode: 'taken',
    PortBindings: 'taken',
    RestartPolicy: { fields: { Name: 'taken', MaximumRetryCount: 'taken' } },
    AutoRemove: 'taken',
    VolumeDriver: 'taken',
    VolumesFrom: 'taken',
    Mounts: { each: MOUNT },
    ConsoleSize: 'taken',
    Annotations: 'taken',
    CapAdd: 'taken',
    CapDrop: 'taken',
    CgroupnsMode: 'taken',
    Dns: 'taken',
    DnsOptions: 'taken',
    DnsSearch: 'taken',
    ExtraHosts: 'taken',
    GroupAdd: 'taken',
    IpcMode: 'taken',
    Cgroup: 'unused',
    Links: 'taken',
    OomScoreAdj: 'taken',
    PidMode: 'taken',
    Privileged: 'taken',
    PublishAllPorts: 'taken',
    ReadonlyRootfs: 'taken',
    SecurityOpt: 'taken',
    StorageOpt: 'taken',
    Tmpfs: 'taken',
    UTSMode: 'taken',
    UsernsMode: 'taken',
    ShmSize: 'taken',
    Sysctls: 'taken',
    Runtime: 'taken',
    Isolation: 'taken',
    MaskedPaths: 'taken',
    ReadonlyPaths: 'taken',
    Init: 'taken',
  },
}

/** POST /containers/create, ContainerConfig with HostConfig and NetworkingConfig of the API description. */
export const CREATE_BODY: FieldTable = {
  fields: {
    Hostname: 'taken',
    Domainname: 'taken',
    User: 'taken',
    AttachStdin: 'taken',
    AttachStdout: 'taken',
    AttachStderr: 'taken',
    ExposedPorts: 'taken',
    Tty: 'taken',
    OpenStdin: 'taken',
    StdinOnce: 'taken',
    Env: 'taken',
    Cmd: 'taken',
    Healthcheck: HEALTHCHECK,
    // For Windows commands; orders nothing on Linux.
    ArgsEscaped: 'reported',
    Image: 'taken',
    Volumes: 'taken',
    WorkingDir: 'taken',
    Entrypoint: 'taken',
    NetworkDisabled: 'taken',
    MacAddress: 'taken',
    // Belongs to images and is kept by the CLI in what it sends back; containers do not act on it.
    OnBuild: 'reported',
    Labels: 'taken',
    StopSignal: 'taken',
    StopTimeout: 'taken',
    Shell: 'taken',
    // dockerode sends its queries in the body as well; it is the query that counts.
    name: 'reported',
    platform: 'reported',
    HostConfig: HOST_CONFIG,
    NetworkingConfig: { fields: { EndpointsConfig: { each: ENDPOINT } } },
  },
}

/** POST /containers/{id}/update. Clients send the whole Resources structure. */
export const UPDATE_BODY: FieldTable = {
  fields: {
    ...RESOURCE_FIELDS,
    BlkioWeightDevice: 'unused',
    DeviceRequests: 'unused',
    Devices: 'unused',
    DeviceCgroupRules: 'unused',
    CgroupParent: 'unused',
    Ulimits: 'unused',
    Init: 'unused',
    RestartPolicy: { fields: { Name: 'taken', MaximumRetryCount: 'taken' } },
  },
}
