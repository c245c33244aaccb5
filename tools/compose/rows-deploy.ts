import { web, type Row } from './row.ts'

const config = (name: string) =>
  `${name} ${['parallelism', 'delay', 'failure_action', 'monitor', 'max_failure_ratio', 'order'].map((field) => `${name}.${field}`).join(' ')}`
const rollout = {
  parallelism: 2,
  delay: '3s',
  failure_action: 'continue',
  monitor: '9s',
  max_failure_ratio: 0.2,
  order: 'start-first',
}

export const DEPLOY_ROWS: readonly Row[] = [
  web('yes', 'deploy deploy.mode', { deploy: { mode: 'global-job' } }, '`replicated`, `global`, `replicated-job`, `global-job`'),
  web('yes', 'deploy.replicas', { deploy: { replicas: 3 } }, 'of a job: tasks that have to end well'),
  web('yes', 'deploy.endpoint_mode', { deploy: { endpoint_mode: 'dnsrr' } }),
  web('yes', 'deploy.labels', { deploy: { labels: { a: 'b' } } }),
  web(
    'yes',
    config('deploy.update_config'),
    { deploy: { update_config: rollout } },
    'without `order` the one that fits: new tasks first, unless two must not run at once',
  ),
  web('yes', config('deploy.rollback_config'), { deploy: { rollback_config: rollout } }),
  web(
    'yes',
    'deploy.restart_policy deploy.restart_policy.condition deploy.restart_policy.delay deploy.restart_policy.max_attempts deploy.restart_policy.window',
    {
      deploy: { restart_policy: { condition: 'on-failure', delay: '2s', max_attempts: 4, window: '1m' } },
    },
  ),
  web(
    'yes',
    'deploy.placement deploy.placement.constraints deploy.placement.preferences deploy.placement.preferences[].spread deploy.placement.max_replicas_per_node',
    {
      deploy: {
        placement: {
          constraints: ['node.role == manager'],
          preferences: [{ spread: 'node.labels.zone' }],
          max_replicas_per_node: 2,
        },
      },
    },
  ),
  web(
    'yes',
    'deploy.resources deploy.resources.limits deploy.resources.limits.cpus deploy.resources.limits.memory deploy.resources.limits.pids',
    {
      deploy: { resources: { limits: { cpus: '0.5', memory: '64m', pids: 20 } } },
    },
  ),
  web('yes', 'deploy.resources.reservations deploy.resources.reservations.cpus deploy.resources.reservations.memory', {
    deploy: { resources: { reservations: { cpus: '0.25', memory: '32m' } } },
  }),
  web(
    'refused',
    'deploy.resources.reservations.generic_resources deploy.resources.reservations.generic_resources[].discrete_resource_spec deploy.resources.reservations.generic_resources[].discrete_resource_spec.kind deploy.resources.reservations.generic_resources[].discrete_resource_spec.value',
    {
      deploy: { resources: { reservations: { generic_resources: [{ discrete_resource_spec: { kind: 'gpu', value: 2 } }] } } },
    },
  ),
  web(
    'refused',
    'deploy.resources.reservations.devices deploy.resources.reservations.devices[].capabilities deploy.resources.reservations.devices[].count deploy.resources.reservations.devices[].device_ids deploy.resources.reservations.devices[].driver deploy.resources.reservations.devices[].options',
    {
      deploy: {
        resources: {
          reservations: { devices: [{ capabilities: ['gpu'], count: 1, device_ids: ['a'], driver: 'x', options: { a: 'b' } }] },
        },
      },
    },
  ),
]

const buildFields = (text: string) =>
  text
    .split(' ')
    .map((name) => `build.${name}`)
    .join(' ')

export const BUILD_ROWS: readonly Row[] = [
  web('yes', 'build', { build: './app' }),
  web(
    'yes',
    buildFields(
      'context dockerfile args labels target network tags platforms cache_from cache_to no_cache pull additional_contexts ssh entitlements shm_size ulimits ulimits.soft ulimits.hard extra_hosts provenance sbom',
    ),
    {
      build: {
        ...{ context: './app', dockerfile: 'Other', args: { A: '1' }, labels: { a: 'b' }, target: 'run', network: 'host' },
        ...{
          tags: ['t:1'],
          platforms: ['linux/amd64'],
          cache_from: ['a'],
          cache_to: ['type=inline'],
          no_cache: true,
          pull: true,
        },
        ...{ additional_contexts: { lib: './lib' }, ssh: ['default'], entitlements: ['network.host'], shm_size: '64m' },
        ...{ ulimits: { nofile: { soft: 1, hard: 2 } }, extra_hosts: ['a:1.1.1.1'], provenance: true, sbom: true },
      },
    },
  ),
  web('yes', buildFields('dockerfile_inline'), { build: { context: '.', dockerfile_inline: 'FROM scratch' } }),
  web('yes', buildFields('privileged'), { build: { context: '.', privileged: true } }, 'as the entitlement security.insecure'),
  web('none', buildFields('isolation'), { build: { context: '.', isolation: 'default' } }, 'only `default`'),
  web('yes', buildFields('secrets secrets[].source secrets[].target'), {
    build: { context: '.', secrets: [{ source: 'token', target: 'key' }] },
  }),
  web(
    'refused',
    buildFields('secrets[].uid'),
    { build: { context: '.', secrets: [{ source: 'token', uid: '7' }] } },
    'the Dockerfile says it',
  ),
  web(
    'refused',
    buildFields('secrets[].gid'),
    { build: { context: '.', secrets: [{ source: 'token', gid: '7' }] } },
    'the Dockerfile says it',
  ),
  web(
    'refused',
    buildFields('secrets[].mode'),
    { build: { context: '.', secrets: [{ source: 'token', mode: 256 }] } },
    'the Dockerfile says it',
  ),
]

const watch = (text: string) =>
  text
    .split(' ')
    .map((name) => `develop.watch[].${name}`)
    .join(' ')

export const DEVELOP_ROWS: readonly Row[] = [
  web('yes', `develop develop.watch ${watch('path action target ignore include initial_sync')}`, {
    develop: { watch: [{ path: './src', action: 'sync', target: '/src', ignore: ['a'], include: ['b'], initial_sync: true }] },
  }),
  web('yes', watch('exec exec.command exec.user exec.privileged exec.working_dir exec.environment'), {
    develop: {
      watch: [
        {
          ...{ path: './src', action: 'sync+exec', target: '/src' },
          exec: { command: 'reload', user: 'u', privileged: true, working_dir: '/x', environment: { A: 'b' } },
        },
      ],
    },
  }),
]
