import type { FieldTable } from '../translate/fields.ts'

const FILE: FieldTable = { fields: { Name: 'taken', UID: 'taken', GID: 'taken', Mode: 'taken' } }

const PRIVILEGES: FieldTable = {
  fields: {
    CredentialSpec: 'unused',
    SELinuxContext: 'unused',
    Seccomp: { fields: { Mode: 'taken', Profile: 'taken' } },
    AppArmor: { fields: { Mode: 'taken' } },
    NoNewPrivileges: 'taken',
  },
}

const CONTAINER: FieldTable = {
  fields: {
    ...Object.fromEntries(
      'Image Labels Command Args Hostname Env Dir User Groups TTY OpenStdin ReadOnly Mounts StopSignal StopGracePeriod'
        .split(' ')
        .map((name) => [name, 'taken' as const]),
    ),
    Privileges: PRIVILEGES,
    Healthcheck: {
      fields: {
        Test: 'taken',
        Interval: 'taken',
        Timeout: 'taken',
        StartPeriod: 'taken',
        StartInterval: 'taken',
        Retries: 'taken',
      },
    },
    Hosts: 'taken',
    DNSConfig: { fields: { Nameservers: 'taken', Search: 'taken', Options: 'taken' } },
    Secrets: { each: { fields: { File: FILE, SecretID: 'taken', SecretName: 'taken' } } },
    Configs: { each: { fields: { File: FILE, Runtime: 'unused', ConfigID: 'taken', ConfigName: 'taken' } } },
    // `default` is all that there is on Linux.
    Isolation: 'reported',
    Init: 'taken',
    Sysctls: 'taken',
    CapabilityAdd: 'taken',
    CapabilityDrop: 'taken',
    Ulimits: { each: { fields: { Name: 'taken', Soft: 'taken', Hard: 'taken' } } },
    OomScoreAdj: 'taken',
  },
}

const RESOURCES: FieldTable = {
  fields: {
    Limits: { fields: { NanoCPUs: 'taken', MemoryBytes: 'taken', Pids: 'taken' } },
    Reservations: { fields: { NanoCPUs: 'taken', MemoryBytes: 'taken', GenericResources: 'unused' } },
    SwapBytes: 'unused',
    MemorySwappiness: 'unused',
  },
}

const NETWORK: FieldTable = { fields: { Target: 'taken', Aliases: 'taken', DriverOpts: 'unused' } }

const TASK: FieldTable = {
  fields: {
    PluginSpec: 'unused',
    NetworkAttachmentSpec: 'unused',
    ContainerSpec: CONTAINER,
    Resources: RESOURCES,
    RestartPolicy: { fields: { Condition: 'taken', Delay: 'taken', MaxAttempts: 'taken', Window: 'taken' } },
    Placement: {
      fields: {
        Constraints: 'taken',
        Preferences: { each: { fields: { Spread: { fields: { SpreadDescriptor: 'taken' } } } } },
        MaxReplicas: 'taken',
        Platforms: { each: { fields: { Architecture: 'taken', OS: 'taken' } } },
      },
    },
    ForceUpdate: 'taken',
    Runtime: 'taken',
    Networks: { each: NETWORK },
    LogDriver: { fields: { Name: 'taken', Options: 'taken' } },
  },
}

const ROLLOUT: FieldTable = {
  fields: {
    Parallelism: 'taken',
    Delay: 'taken',
    FailureAction: 'taken',
    Monitor: 'taken',
    MaxFailureRatio: 'taken',
    Order: 'taken',
  },
}

/** POST /services/create and /services/{id}/update. */
export const SERVICE_BODY: FieldTable = {
  fields: {
    Name: 'taken',
    Labels: 'taken',
    TaskTemplate: TASK,
    Mode: {
      fields: {
        Replicated: { fields: { Replicas: 'taken' } },
        Global: 'taken',
        ReplicatedJob: { fields: { MaxConcurrent: 'taken', TotalCompletions: 'taken' } },
        GlobalJob: 'taken',
      },
    },
    UpdateConfig: ROLLOUT,
    RollbackConfig: ROLLOUT,
    Networks: { each: NETWORK },
    EndpointSpec: {
      fields: {
        Mode: 'taken',
        Ports: {
          each: {
            fields: { Name: 'unused', Protocol: 'taken', TargetPort: 'taken', PublishedPort: 'taken', PublishMode: 'taken' },
          },
        },
      },
    },
  },
}
