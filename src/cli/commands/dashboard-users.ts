import { choice, isSet } from '../args/flags.ts'
import { command, type CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { ask, readSecret } from '../credentials/ask.ts'
import { forEach } from '../for-each.ts'
import { renderTable } from '../output/table.ts'
import { roughDuration } from '../output/units.ts'

const ROLES = ['viewer', 'operator', 'admin'] as const
const passwordFlag = isSet('Read the password from the standard input')

export const dashboardUserLs = command({
  name: 'dashboard user ls',
  usage: '[FLAGS]',
  summary: 'List who may sign in to the dashboard.',
  examples: [['dashboard user ls', 'users, their roles and how many browsers are signed in']],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const users = await (await context.client()).dashboard.users()
    const rows = users.map(({ name, role, sessions, changedAtMs }) => [
      name,
      role,
      String(sessions),
      `${roughDuration(context.clock.nowMs() - changedAtMs)} ago`,
    ])
    const columns = [{ title: 'USER' }, { title: 'ROLE' }, { title: 'SIGNED IN', align: 'right' }, { title: 'CHANGED' }] as const
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(users, null, 2)}\n` : renderTable(columns, rows))
    return 0
  },
})

export const dashboardUserAdd = command({
  name: 'dashboard user add',
  usage: '[FLAGS] USER',
  summary: 'Let somebody sign in to the dashboard, or change a role.',
  description:
    'A viewer sees everything but secrets and the environment of containers. An operator also starts, stops, scales, steers rollouts and opens terminals in containers. An admin also removes things and decides who may sign in. A user that is there already gets the role and keeps the password.',
  examples: [
    ['dashboard user add ann --role operator', 'asks for a password'],
    ['dashboard user add ci-screen --role viewer --password-stdin < password.txt', 'without a question'],
  ],
  flags: { role: choice(ROLES, 'What the user may do (default viewer)'), 'password-stdin': passwordFlag },
  operands: { min: 1, max: 1 },
  run: async ({ flags, operands: [name = ''] }, context) => {
    const { dashboard } = await context.client()
    const isKnown = (await dashboard.users()).some((user) => user.name === name)
    if (isKnown && flags.role === undefined && !flags['password-stdin'])
      throw cliError('cli.usage', `${name} is there already, and no --role is given`, {
        hint: 'Another password: glovebox dashboard user passwd.',
      })
    const password = isKnown && !flags['password-stdin'] ? undefined : await readPassword(name, flags['password-stdin'], context)
    const role = flags.role ?? (isKnown ? undefined : 'viewer')
    await dashboard.putUser(name, { ...(role === undefined ? {} : { role }), ...(password === undefined ? {} : { password }) })
    context.terminal.stdout.write(`${name}\n`)
    return 0
  },
})

export const dashboardUserPasswd = command({
  name: 'dashboard user passwd',
  usage: '[FLAGS] USER',
  summary: 'Give a user of the dashboard another password.',
  description: 'All browsers in which the user is signed in are signed out.',
  examples: [['dashboard user passwd ann', 'asks for it']],
  flags: { 'password-stdin': passwordFlag },
  operands: { min: 1, max: 1 },
  run: async ({ flags, operands: [name = ''] }, context) => {
    const { dashboard } = await context.client()
    if (!(await dashboard.users()).some((user) => user.name === name))
      throw cliError('cli.usage', `the dashboard has no user ${name}`, { hint: `Add one: glovebox dashboard user add ${name}.` })
    await dashboard.putUser(name, { password: await readPassword(name, flags['password-stdin'], context) })
    context.terminal.stdout.write(`${name}\n`)
    return 0
  },
})

export const dashboardUserRm = command({
  name: 'dashboard user rm',
  usage: 'USER...',
  summary: 'Let somebody no longer sign in to the dashboard.',
  description: 'All browsers in which the user is signed in are signed out.',
  examples: [['dashboard user rm ann', 'the next request of this user is refused']],
  flags: {},
  operands: { min: 1, max: Infinity },
  run: ({ operands }, context) => forEach(operands, context, (client, name) => client.dashboard.removeUser(name)),
})

async function readPassword(name: string, isOnStdin: boolean, context: CliContext): Promise<string> {
  return isOnStdin ? await readSecret(context) : await ask(`Password of ${name}: `, true, context)
}
