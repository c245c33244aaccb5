import type { SecretKind } from '#api/glovebox'

import { list, refused } from '../args/flags.ts'
import { command, type Command } from '../command.ts'
import { forEach } from '../for-each.ts'
import { pairs } from '../run/pairs.ts'
import { inspectSecrets } from './inspect-secrets.ts'
import { listSecrets } from './list-secrets.ts'
import { readValue } from './read-value.ts'

const WHERE =
  'Without a file, or with `-`, the value is what comes on the standard input, every byte of it; on a terminal it is asked for and not shown.'

/** The commands of one kind, by their second words. */
export type SecretCommands = Readonly<Record<'create' | 'ls' | 'inspect' | 'rotate' | 'rm', Command>>

function commandsOf(kind: SecretKind): SecretCommands {
  return {
    create: create(kind),
    ls: listSecrets(kind),
    inspect: inspectSecrets(kind),
    rotate: rotate(kind),
    rm: remove(kind),
  }
}

function create(kind: SecretKind): Command {
  return command({
    name: `${kind} create`,
    usage: '[FLAGS] NAME [FILE|-]',
    summary:
      kind === 'secret'
        ? 'Keep a value for services, encrypted, and print its id.'
        : 'Keep a file for services, and print its id.',
    description: `${WHERE} Services get it as a file in memory, by default /${kind === 'secret' ? 'run/secrets/' : ''}NAME.`,
    examples: [
      [`${kind} create app.${kind === 'secret' ? 'key key.pem' : 'conf app.conf'}`, 'from a file'],
      [`${kind} create db-password < value.txt`, 'from the standard input'],
    ],
    flags: {
      label: list('NAME=VALUE', 'Label', 'l'),
      'template-driver': refused('values are given as they are, without templates'),
      ...(kind === 'secret' ? { driver: refused('secrets are kept here and nowhere else', true, 'd') } : {}),
    },
    operands: { min: 1, max: 2 },
    completes: [[], 'file'],
    run: async ({ flags, operands: [name = '', file] }, context) => {
      const value = await readValue(file, `Value of ${name}: `, context)
      const made = await (await context.client()).secrets.create(kind, { name, labels: pairs(flags.label) ?? {}, value })
      context.terminal.stdout.write(`${made.id}\n`)
      return 0
    },
  })
}

function rotate(kind: SecretKind): Command {
  return command({
    name: `${kind} rotate`,
    usage: `${kind.toUpperCase()} [FILE|-]`,
    summary: `Give a ${kind} another value. Services that mount it get new tasks.`,
    description: `${WHERE} Each service is rolled as its update settings say; jobs get the value with their next run. The value before is kept until the next one, for services that go back.`,
    examples: [[`${kind} rotate db-password < value.txt`, 'and print the new version and who gets it']],
    flags: {},
    operands: { min: 1, max: 2 },
    completes: [kind, 'file'],
    run: async ({ operands: [name = '', file] }, context) => {
      const value = await readValue(file, `New value of ${name}: `, context)
      const { secrets } = await context.client()
      const { version, id } = await secrets.rotate(kind, name, value)
      const { usedBy } = await secrets.inspect(kind, id)
      const users = usedBy.length === 0 ? '' : `new tasks: ${usedBy.join(', ')}\n`
      context.terminal.stdout.write(`${name} version ${version}\n${users}`)
      return 0
    },
  })
}

function remove(kind: SecretKind): Command {
  return command({
    name: `${kind} rm`,
    usage: `${kind.toUpperCase()}...`,
    summary: `Remove ${kind}s that no service mounts.`,
    examples: [[`${kind} rm app.key`, 'refused while a service mounts it']],
    flags: {},
    operands: { min: 1, max: Infinity },
    completes: [kind],
    run: ({ operands }, context) => forEach(operands, context, (client, name) => client.secrets.remove(kind, name)),
  })
}

/** What each kind is kept by. */
export const secretCommands: Readonly<Record<SecretKind, SecretCommands>> = {
  secret: commandsOf('secret'),
  config: commandsOf('config'),
}

export const rotateKey = command({
  name: 'secret rotate-key',
  usage: '',
  summary: 'Encrypt all secrets with a new key. Their values and versions stay.',
  description:
    'The daemon makes a key of its own, or takes the first one in the file that --secrets-key-file names. No service is touched.',
  examples: [['secret rotate-key', 'when a copy of the key may be in wrong hands']],
  flags: {},
  operands: { min: 0, max: 0 },
  run: async (_, context) => {
    const { secrets } = await (await context.client()).secrets.rotateKey()
    context.terminal.stdout.write(`${secrets} ${secrets === 1 ? 'secret is' : 'secrets are'} encrypted with a new key\n`)
    return 0
  },
})
