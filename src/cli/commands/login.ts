import { isSet, text } from '../args/flags.ts'
import { type CliContext, command } from '../command.ts'
import { ask, readSecret } from '../credentials/ask.ts'
import { DEFAULT_SERVER, eraseCredentials, serverKey, storeCredentials, storedCredentials } from '../credentials/store.ts'
import { cliError } from '../errors.ts'

export const login = command({
  name: 'login',
  usage: '[FLAGS] [REGISTRY]',
  summary: 'Sign in to a registry.',
  description:
    'The registry is asked whether name and password are right. They are kept where docker keeps them ($DOCKER_CONFIG or ~/.docker/config.json, or the credential helper that it names), so that both know them.',
  examples: [
    ['login registry.example.org', 'asks for name and password'],
    ['login -u ci --password-stdin registry.example.org < token.txt', 'for scripts: the password is in no list of processes'],
  ],
  flags: {
    username: text('NAME', 'Who', 'u'),
    password: text('PASSWORD', 'Better --password-stdin: others see the words of a command', 'p'),
    'password-stdin': isSet('Read the password from the standard input'),
  },
  operands: { min: 0, max: 1 },
  run: async ({ flags, operands: [server] }, context) => {
    const key = serverKey(server)
    const { stdout, stderr } = context.terminal
    if (flags.password !== undefined && flags['password-stdin'])
      throw cliError('cli.usage', 'login: --password and --password-stdin exclude each other')
    if (flags['password-stdin'] && flags.username === undefined)
      throw cliError('cli.usage', 'login: --password-stdin needs --username')
    if (flags.password !== undefined)
      stderr.write(
        `${context.paint('yellow', 'warning:')} others see a password on the command line; --password-stdin hides it\n`,
      )
    const { username, password } = await credentials(flags, key, context)
    const answer = await (await context.client()).system.signIn({ username, password, serveraddress: key })
    const kept = await storeCredentials(key, { username, password, identityToken: answer.IdentityToken ?? '' }, context)
    if ('file' in kept)
      stderr.write(
        `${context.paint('yellow', 'warning:')} the password is readable for root in ${kept.file}; a credential helper would hide it\n`,
      )
    stdout.write(`${answer.Status}\n`)
    return 0
  },
})

interface SignInFlags {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly 'password-stdin': boolean
}

/** Flags first, then what is kept already, then the user. */
async function credentials(flags: SignInFlags, key: string, context: CliContext) {
  const { username } = flags
  if (username === undefined && flags.password === undefined) {
    const kept = await storedCredentials(key, context)
    if (kept !== undefined && 'username' in kept) {
      context.terminal.stderr.write('signing in with what is kept already\n')
      return kept
    }
  }
  const name = username ?? (await ask(`Name at ${key === DEFAULT_SERVER ? 'the default registry' : key}: `, false, context))
  if (name === '') throw cliError('cli.usage', 'login: the name is empty')
  const password = flags['password-stdin']
    ? await readSecret(context)
    : (flags.password ?? (await ask('Password: ', true, context)))
  if (password === '') throw cliError('cli.usage', 'login: the password is empty')
  return { username: name, password }
}

export const logout = command({
  name: 'logout',
  usage: '[REGISTRY]',
  summary: 'Forget name and password of a registry.',
  examples: [['logout registry.example.org', 'docker forgets them as well']],
  flags: {},
  operands: { min: 0, max: 1 },
  run: async ({ operands: [server] }, context) => {
    const key = serverKey(server)
    const isGone = await eraseCredentials(key, context)
    context.terminal.stdout.write(isGone ? `forgotten: ${key}\n` : `not signed in to ${key}\n`)
    return 0
  },
})
