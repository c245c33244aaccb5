import { top, type Row } from './row.ts'

export const TOP_ROWS: readonly Row[] = [
  top('none', 'version', { version: '3.8' }, 'read by nobody, as in the specification'),
  top('yes', 'name', { name: 'other' }, '`--name`, COMPOSE_PROJECT_NAME, or the directory'),
  top('yes', 'services', {}),
  top(
    'yes',
    'include include[].path include[].project_directory include[].env_file',
    {
      include: [{ path: './more.yaml', project_directory: './sub', env_file: './web.env' }],
    },
    'files that are here; the same resource twice only when it is the same',
  ),
  top('refused', 'models models.*.name models.*.model models.*.context_size models.*.runtime_flags', {
    models: { llm: { name: 'n', model: 'm', context_size: 1, runtime_flags: ['a'] } },
  }),
  top(
    'yes',
    'networks networks.*.name networks.*.driver networks.*.driver_opts networks.*.internal networks.*.enable_ipv4 networks.*.enable_ipv6 networks.*.attachable networks.*.labels',
    {
      networks: {
        back: {
          ...{ name: 'n', driver: 'macvlan', driver_opts: { parent: 'eth0' }, internal: true },
          ...{ enable_ipv4: false, enable_ipv6: true, attachable: false, labels: { a: 'b' } },
        },
      },
    },
    '`bridge`, `macvlan`, `ipvlan`',
  ),
  top(
    'yes',
    'networks.*.ipam networks.*.ipam.config networks.*.ipam.config[].subnet networks.*.ipam.config[].ip_range networks.*.ipam.config[].gateway networks.*.ipam.config[].aux_addresses',
    {
      networks: {
        back: {
          ipam: {
            config: [{ subnet: '10.9.0.0/16', ip_range: '10.9.1.0/24', gateway: '10.9.0.1', aux_addresses: { a: '10.9.1.9' } }],
          },
        },
      },
    },
  ),
  top('none', 'networks.*.ipam.driver', { networks: { back: { ipam: { driver: 'default' } } } }, 'only `default`'),
  top('refused', 'networks.*.ipam.options', { networks: { back: { ipam: { options: { a: 'b' } } } } }),
  top('yes', 'networks.*.external', { networks: { back: { external: true } } }),
  top('yes', 'networks.*.external.name', { networks: { back: { external: { name: 'there' } } } }),
  top('yes', 'volumes volumes.*.name volumes.*.driver_opts volumes.*.labels', {
    volumes: { data: { name: 'n', driver_opts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' }, labels: { a: 'b' } } },
  }),
  top('none', 'volumes.*.driver', { volumes: { data: { driver: 'local' } } }, 'only `local`'),
  top('yes', 'volumes.*.external', { volumes: { data: { external: true } } }),
  top('yes', 'volumes.*.external.name', { volumes: { data: { external: { name: 'there' } } } }),
  ...(['secrets', 'configs'] as const).flatMap((section) => {
    const key = section === 'secrets' ? 'token' : 'conf'
    const of = (item: Readonly<Record<string, unknown>>) => ({ [section]: { [key]: item } })
    const fields = (text: string) =>
      text
        .split(' ')
        .map((name) => `${section}.*.${name}`)
        .join(' ')
    return [
      top('yes', `${section} ${fields('file name labels')}`, of({ file: './t', name: 'n', labels: { a: 'b' } })),
      top('yes', fields('environment'), of({ environment: 'HOME' })),
      top('yes', fields('external'), of({ external: true })),
      top('yes', fields('external.name'), of({ external: { name: 'there' } })),
      top('refused', fields('template_driver'), of({ file: './t', template_driver: 'golang' })),
    ]
  }),
  top('yes', 'configs.*.content', { configs: { conf: { content: 'a=${HOME}' } } }, 'with variables filled in'),
  top('refused', 'secrets.*.driver', { secrets: { token: { external: true, driver: 'vault' } } }),
  top('refused', 'secrets.*.driver_opts', { secrets: { token: { external: true, driver_opts: { a: 'b' } } } }),
]
