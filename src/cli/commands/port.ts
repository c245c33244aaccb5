import { command } from '../command.ts'
import { cliError } from '../errors.ts'

export const port = command({
  name: 'port',
  usage: 'CONTAINER [PORT[/PROTO]]',
  summary: 'Show on which ports of the host the ports of a container are.',
  examples: [
    ['port web', 'all of them'],
    ['port web 80', 'where port 80/tcp is'],
  ],
  flags: {},
  operands: { min: 1, max: 2 },
  completes: ['container', []],
  run: async ({ operands: [ref = '', wanted] }, context) => {
    const { NetworkSettings } = await (await context.client()).containers.inspect(ref)
    const ports = Object.entries(NetworkSettings?.Ports ?? {}).flatMap(([inside, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => ({
        inside,
        host: `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`,
      })),
    )
    const { stdout } = context.terminal
    if (wanted === undefined) {
      const lines = ports.map(({ inside, host }) => `${inside} -> ${host}\n`).toSorted((a, b) => naturally(a, b))
      stdout.write(lines.join(''))
      return 0
    }
    const key = wanted.includes('/') ? wanted : `${wanted}/tcp`
    const found = ports.filter(({ inside }) => inside === key)
    if (found.length === 0)
      throw cliError('cli.not_found', `port ${key} of ${ref} is not published`, {
        hint: `\`glovebox port ${ref}\` shows those that are.`,
      })
    for (const { host } of found) stdout.write(`${host}\n`)
    return 0
  },
})

/** 80 before 443. */
function naturally(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1)
}
