import { choice, isSet, list } from '../args/flags.ts'
import { command } from '../command.ts'
import { ask, readSecret } from '../credentials/ask.ts'
import { forEach } from '../for-each.ts'
import { renderTable } from '../output/table.ts'

export const registryUsers = command({
  name: 'registry users',
  usage: '[FLAGS]',
  summary: 'List who may do what with the registry.',
  examples: [['registry users', 'users and their rights; * is anybody without a password']],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const accounts = await (await context.client()).registry.accounts()
    const rows = accounts.map(({ name, grants }) => [
      name,
      grants.map(({ repositories, actions }) => `${repositories}:${actions.join(',')}`).join(' ') || 'nothing',
    ])
    context.terminal.stdout.write(
      flags.format === 'json'
        ? `${JSON.stringify(accounts, null, 2)}\n`
        : renderTable([{ title: 'USER' }, { title: 'MAY' }], rows),
    )
    return 0
  },
})

export const registryGrant = command({
  name: 'registry grant',
  usage: '[FLAGS] USER',
  summary: 'Make a user, or change what one may do.',
  description:
    'A right is PATTERN:ACTIONS, where * stays within one part of a repository name and ** does not; the actions are pull, push and delete. The rights given replace those that the user had. The user * is anybody, without a password.',
  examples: [
    ["registry grant ci --allow 'team/**:pull,push' --password-stdin < token.txt", 'a user for a pipeline'],
    ["registry grant '*' --allow 'public/**:pull'", 'anybody may pull what is public'],
  ],
  flags: {
    allow: list('PATTERN[:ACTIONS]', 'A right; without actions all of them'),
    password: isSet('Ask for a new password'),
    'password-stdin': isSet('Read the password from the standard input'),
  },
  operands: { min: 1, max: 1 },
  run: async ({ flags, operands: [name = ''] }, context) => {
    const { registry } = await context.client()
    const isKnown = name === '*' || (await registry.accounts()).some((account) => account.name === name)
    const asks = flags.password || (!isKnown && !flags['password-stdin'])
    const password = flags['password-stdin']
      ? await readSecret(context)
      : asks
        ? await ask(`Password of ${name}: `, true, context)
        : undefined
    await registry.putUser(name, { grants: flags.allow, ...(password === undefined ? {} : { password }) })
    context.terminal.stdout.write(`${name}\n`)
    return 0
  },
})

export const registryRevoke = command({
  name: 'registry revoke',
  usage: 'USER...',
  summary: 'Remove users.',
  examples: [['registry revoke ci', 'the next request of this user is refused']],
  flags: {},
  operands: { min: 1, max: Infinity },
  run: ({ operands }, context) => forEach(operands, context, (client, name) => client.registry.removeUser(name)),
})
