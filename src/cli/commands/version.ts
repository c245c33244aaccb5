import { refused, text } from '../args/flags.ts'
import { type CliContext, command } from '../command.ts'
import { PROGRAM_VERSION } from '../program-version.ts'
import { isDaemonOlder, OLDER_DAEMON, RENEW_DAEMON } from '../daemon/older-daemon.ts'
import { renderFields } from '../output/table.ts'
import { compileTemplate } from '../template/template.ts'

export const version = command({
  name: 'version',
  usage: '',
  summary: 'Versions of client and daemon.',
  examples: [
    ['version', 'of both'],
    ["version --format '{{.Server.Version}}'", 'of the daemon'],
  ],
  flags: {
    format: text('FORMAT', "text (default), json, or a template such as '{{.Server.Version}}'", 'f'),
    kubeconfig: refused('there is no Kubernetes here'),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const client = { version: PROGRAM_VERSION, node: process.versions.node, arch: process.arch }
    const daemon = await daemonVersion(context)
    if (flags.format !== undefined && flags.format !== 'text') {
      const both = { Client: clientVersion(daemon?.ApiVersion), Server: daemon ?? null }
      const isJson = flags.format === 'json' || flags.format === '{{json .}}'
      const line = isJson ? JSON.stringify(both) : compileTemplate(flags.format).render(both)
      context.terminal.stdout.write(`${line}\n`)
      return 0
    }
    const fields: [string, string][] = [['client', `${client.version} (Node ${client.node}, ${client.arch})`]]
    fields.push([
      'daemon',
      daemon === undefined
        ? `none at ${context.instance.socketPath}`
        : `${daemon.Version} (Docker API ${daemon.ApiVersion}, ${daemon.Os}/${daemon.Arch})`,
    ])
    if (daemon !== undefined && isDaemonOlder(context)) fields.push(['', `${OLDER_DAEMON}; ${RENEW_DAEMON} renews it`])
    context.terminal.stdout.write(renderFields(fields))
    return 0
  },
})

/** Under the names that scripts know. */
function clientVersion(apiVersion: string | undefined) {
  return {
    Platform: { Name: 'Glovebox' },
    Version: PROGRAM_VERSION,
    ApiVersion: apiVersion ?? '',
    DefaultAPIVersion: apiVersion ?? '',
    NodeVersion: process.versions.node,
    Os: process.platform,
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
  }
}

async function daemonVersion(context: CliContext) {
  const client = await context.client()
  try {
    return await client.system.version()
  } catch (error) {
    // No daemon is an answer here; a refusal of an old socket's owner is none.
    if (error instanceof Error && 'code' in error && error.code === 'client.unreachable') return undefined
    throw error
  }
}
