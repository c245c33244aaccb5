import { choice } from '../args/flags.ts'
import { type CliContext, command } from '../command.ts'
import { PROGRAM_VERSION } from '../program-version.ts'
import { isDaemonOlder, OLDER_DAEMON, RENEW_DAEMON } from '../daemon/older-daemon.ts'
import { renderFields } from '../output/table.ts'

export const version = command({
  name: 'version',
  usage: '',
  summary: 'Versions of client and daemon.',
  examples: [['version --format json', 'for programs']],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const client = { version: PROGRAM_VERSION, node: process.versions.node, arch: process.arch }
    const daemon = await daemonVersion(context)
    if (flags.format === 'json') {
      context.terminal.stdout.write(`${JSON.stringify({ client, daemon: daemon ?? null })}\n`)
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
