import { BUILD_ROWS, DEPLOY_ROWS, DEVELOP_ROWS } from './rows-deploy.ts'
import { SERVICE_ROWS } from './rows-services.ts'
import { TOP_ROWS } from './rows-top.ts'
import type { Row } from './row.ts'

const AREAS: Readonly<Record<string, readonly Row[]>> = {
  'The file': TOP_ROWS,
  Services: SERVICE_ROWS,
  'Services: deploy': DEPLOY_ROWS,
  'Services: build': BUILD_ROWS,
  'Services: develop': DEVELOP_ROWS,
}

export const ROWS: readonly Row[] = Object.values(AREAS).flat()

const STATES: Readonly<Record<Row['state'], string>> = {
  yes: 'yes',
  differs: 'differs',
  none: 'accepted, without effect',
  refused: 'refused by name',
}

/** `docs/compose.md`: made from the rows that the tests read. */
export function composePage(): string {
  const tables = Object.entries(AREAS).map(([area, rows]) => {
    const lines = rows.map(
      ({ fields, state, note }) =>
        `| ${fields.map((field) => `\`${short(field)}\``).join(' ')} | ${STATES[state]} | ${cell(note ?? '')} |`,
    )
    return `## ${area}\n\n| Field | State | Remark |\n|---|---|---|\n${lines.join('\n')}\n`
  })
  return `# Compose files

What of the [Compose specification](https://github.com/compose-spec/compose-spec) is read, field by field. The page is made by
\`node tools/compose-page.ts\` from rows whose examples the tests read: what says \`yes\` or \`differs\` changes the model, what is refused is refused
with its name, file, line and column. \`npm run check\` compares.

${INTRODUCTION}
${tables.join('\n')}
${EXTENSION}`
}

function short(field: string): string {
  return field.replace(/^services\.\*\./, '')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

const INTRODUCTION = `## Files

- \`compose.yaml\`, \`compose.yml\`, \`docker-compose.yaml\`, \`docker-compose.yml\` here or in a directory above, and \`compose.override.yaml\` (or \`.yml\`,
  or with \`docker-\`) on top of it. \`-f\` names others, several of them, as does COMPOSE_FILE. Merging follows the specification: lists with keys by key
  (ports, volumes, secrets, configs, devices, environment files), \`key=value\` lists and mappings by key, other lists one behind the other, commands and
  tests replaced; \`!reset\` and \`!override\`.
- Variables: \`$V \${V} \${V:-x} \${V-x} \${V:?e} \${V?e} \${V:+x} \${V+x} $$\`, nested. From the environment, then \`.env\` in the project directory, or what
  \`--env-file\` and COMPOSE_ENV_FILES name. COMPOSE_DISABLE_ENV_FILE, COMPOSE_PATH_SEPARATOR, COMPOSE_PROJECT_NAME and COMPOSE_PROFILES count.
- Anchors, aliases, merge keys (\`<<\`), octal numbers as Go reads them.
- \`glovebox compose config\` prints what all of it says together; \`-q\` only checks.
`

const EXTENSION = `## x-glovebox

What the specification has no words for. The form is in \`src/cluster/spec/x-glovebox.schema.json\`; other programs pass over it.

\`\`\`yaml
x-glovebox:
  owner: shop team                       # whom to ask; also contact, runbook
  routes:
    - name: shop
      hosts: [shop.example.com]
      path: /                            # a prefix; or { exact: /x }
      tls: acme                          # own, acme, or { certificate, key } / { acme: { directory, email } } / { own }, min_version, redirect_from
      targets:                           # or short: service: web, target_port: 3000
        - { service: web, port: 3000, share: 95 }
        - { address: 10.0.0.9, port: 80, share: 5 }
      # address, port, mode: tcp, redirect, replace_path, request_headers, response_headers, allow, deny, basic_auth, rate_limit, max_connections,
      # max_connections_per_task, sticky, balance, compress, trusted_proxies, proxy_protocol, send_proxy_protocol, retries, slow_start,
      # timeouts, max_body, access_log, unavailable_text
  policy:                                # who may talk to whom
    inside: deny
    allow: [{ from: [web, other/*], to: db, ports: [5432, 53/udp] }]
    egress: { default: { outside: deny, except: [{ to: 203.0.113.0/24, ports: 443 }] } }
    log: true
services:
  web:
    image: web
    x-glovebox:
      routes: [{ path: /web, target_port: 3000 }]   # leads to this service
      rollout:                                      # beside deploy.update_config
        strategy: canary                            # rolling, blue-green, canary
        steps: [{ weight: 5, hold: 2m }, { weight: 50, hold: 5m }]
        min_requests: 100
        max_error_ratio: 0.01
        latency_percentile: 0.95
        max_latency_ratio: 1.5
        promote: by-hand
      checks:                                       # startup, readiness, liveness; http, tcp or command
        readiness: { http: { port: 3000, path: /ready, status: 200-299 }, interval: 2s, timeout: 1s, failures: 3, successes: 1, initial_delay: 0s }
      priority: 10
      near: [{ service: db, required: true }]       # topology: node.id, or a label of nodes
      away_from: [{ service: web, topology: node.labels.zone }]
      metrics: { port: 9100, path: /metrics }       # or short: 9100
  report:
    image: report
    x-glovebox:
      schedule: { cron: "0 3 * * 1-5", time_zone: Europe/Berlin, concurrency: forbid }
      job: { completions: 1, parallelism: 1, deadline: 1h, retries: 3 }
\`\`\`
`
