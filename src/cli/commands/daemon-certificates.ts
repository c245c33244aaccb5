import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'

import { list } from '../args/flags.ts'
import { command } from '../command.ts'
import { makeCertificates } from '../daemon/certificates.ts'
import { findProgram } from '../daemon/programs.ts'
import { cliError } from '../errors.ts'

export const daemonCertificates = command({
  name: 'daemon certificates',
  usage: '[FLAGS] DIR',
  summary: 'Make a CA, and certificates for a daemon that listens on TCP and for its clients.',
  description:
    'Whoever has the files in DIR/client has the host. A CA that is there already signs anew, so that clients and daemons of before go on.',
  examples: [
    [
      'daemon certificates --host build1 --host 192.0.2.7 /etc/glovebox/tls',
      'for a daemon that is reached under a name and an address',
    ],
  ],
  flags: { host: list('NAME', 'Name or address under which clients reach the daemon (default: of this host, and localhost)') },
  operands: { min: 1, max: 1 },
  run: async ({ flags, operands: [place = ''] }, context) => {
    if (findProgram('openssl', context.env) === undefined)
      throw cliError('cli.host_incomplete', 'openssl is not installed', { hint: 'On Debian: apt-get install openssl' })
    const directory = resolve(context.cwd, place)
    const hosts = flags.host.length > 0 ? flags.host : [hostname(), 'localhost', '127.0.0.1']
    const wrong = hosts.find((host) => !/^[a-zA-Z0-9*][a-zA-Z0-9.:-]*$/.test(host))
    if (wrong !== undefined) throw cliError('cli.usage', `--host ${JSON.stringify(wrong)}: neither a name nor an address`)
    const hasCa = existsSync(join(directory, 'ca-key.pem')) && existsSync(join(directory, 'ca.pem'))
    await makeCertificates({ directory, hosts, env: context.env }, hasCa)
    const at = (name: string) => join(directory, name)
    context.terminal.stdout.write(
      [
        `daemon:  --tcp HOST:2376 --tls-ca ${at('ca.pem')} --tls-cert ${at('daemon/cert.pem')} --tls-key ${at('daemon/key.pem')}`,
        `client:  DOCKER_HOST=tcp://${hosts[0] ?? 'HOST'}:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${at('client')}`,
        '',
      ].join('\n'),
    )
    return 0
  },
})
