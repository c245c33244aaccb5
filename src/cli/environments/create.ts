import { isSet, list, naming, refused, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { readValue } from '../secrets/read-value.ts'
import type { CliContext } from '../command.ts'
import { fetchImages, followEnvironment } from './follow.ts'
import { readLife } from './life.ts'

export const envCreate = command({
  name: 'env create',
  usage: '[FLAGS] NAME --from APPLICATION',
  summary: 'Copy an application beside itself, with changes and for a time.',
  description:
    'The copy is the stack APPLICATION--NAME. It has networks and empty volumes of its own, other ports of the host where the application names one, and the hosts NAME.HOST for its routes. Secrets and configs are those of the application unless --own-secret or --own-config gives another value. Directories of the host are read-only in it, and schedules are suspended. When its time is over it is removed, with its volumes.',
  examples: [
    ['env create pr-42 --from shop --set api.image=api:1.1 --ttl 3d', 'another version for three days'],
    ['env create try --from shop --set web.environment.DEBUG=1 --set web.replicas=1', 'other variables, one replica'],
    [
      'env create demo --from shop --host shop.example.com=demo.example.com --ttl never',
      'at a host of its own, until it is removed',
    ],
  ],
  flags: {
    from: naming('application', text('APPLICATION', 'What is copied: an application, or another environment')),
    set: list('SERVICE.FIELD=VALUE', 'Another image, replicas, memory, cpus, suspended, environment.NAME'),
    ttl: text('TIME', 'It stays so long: 12h, 3d, never; a week by default'),
    host: list('HOST=OTHER', 'Instead of the host that the pattern gives; OTHER alone where there is one'),
    'host-pattern': text('PATTERN', 'Of hosts: {name}.{host} by default; {app} is the application'),
    'own-secret': list('KEY=FILE', 'A value of its own for a secret of the application'),
    'own-config': list('KEY=FILE', 'A value of its own for a config of the application'),
    'writable-binds': isSet('Directories of the host may be written to, as in the application'),
    'copy-data': refused('volumes of an environment begin empty; copies of their data are not made yet', false),
    detach: isSet('Do not wait until it is healthy', 'd'),
  },
  operands: { min: 1, max: 1 },
  completes: [['pr-']],
  run: async ({ flags, operands: [name = ''] }, context) => {
    if (flags.from === undefined) throw cliError('cli.usage', '--from is missing: say which application is copied')
    const lifeMs = readLife(flags.ttl)
    const values = {
      secrets: await valuesOf(flags['own-secret'], context),
      configs: await valuesOf(flags['own-config'], context),
    }
    const client = await context.client()
    await fetchImages(flags.from, flags.set, client, context)
    const made = await client.environments.create({
      name,
      from: flags.from,
      settings: flags.set,
      hosts: flags.host,
      lifeMs,
      values,
      hasWritableBinds: flags['writable-binds'],
      ...(flags['host-pattern'] === undefined ? {} : { hostPattern: flags['host-pattern'] }),
    })
    for (const note of made.environment.notes) context.terminal.stderr.write(`note: ${note}\n`)
    if (!flags.detach) return await followEnvironment(made, client, context)
    context.terminal.stdout.write(`${made.environment.stack}\n`)
    return 0
  },
})

/** Values in base64, by key. */
async function valuesOf(said: readonly string[], context: CliContext): Promise<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {}
  for (const pair of said) {
    const equals = pair.indexOf('=')
    if (equals < 1) throw cliError('cli.usage', `${JSON.stringify(pair)}: say KEY=FILE`)
    const key = pair.slice(0, equals)
    values[key] = (await readValue(pair.slice(equals + 1), `Value of ${key}: `, context)).toString('base64')
  }
  return values
}
