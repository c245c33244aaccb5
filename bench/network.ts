import { cpSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'

import type { BenchDaemon } from './daemons.ts'
import { command, inTurn } from './measure.ts'
import type { Row } from './rows.ts'

const MEGABYTES = 512
const RUNS = 7
/** No slower than dockerd; runs on one machine differ by a tenth among themselves. */
const BAR = 1.1

/** `source`: sends so many megabytes to whoever connects. `sink ADDRESS PORT`: reads to the end. */
const PROGRAM = `
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static char buffer[1 << 17];
int main(int argc, char **argv) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(7000)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (argc == 3) {
    at.sin_port = htons(atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &at.sin_addr);
    if (connect(fd, (void *)&at, sizeof at)) return 1;
    long total = 0, n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) total += n;
    return total == ${MEGABYTES}L << 20 ? 0 : 2;
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (void *)&at, sizeof at) || listen(fd, 9)) return 1;
  for (;;) {
    int peer = accept(fd, 0, 0);
    for (long left = ${MEGABYTES}L << 20; left > 0;) {
      long n = write(peer, buffer, left < (long)sizeof buffer ? left : (long)sizeof buffer);
      if (n <= 0) break;
      left -= n;
    }
    close(peer);
  }
}
`

/** How long half a gigabyte takes from a container to the host: over the bridge, and through a published port. */
export async function throughput(
  daemons: readonly BenchDaemon[],
  directory: string,
  image: { readonly rootfs: string },
): Promise<readonly Row[]> {
  const program = join(directory, 'flow')
  writeFileSync(`${program}.c`, PROGRAM)
  await command('gcc', ['-static', '-O2', '-o', program, `${program}.c`])
  cpSync(program, join(image.rootfs, 'bin/flow'))
  const tar = join(directory, 'flow.tar')
  await command('tar', ['-C', image.rootfs, '-cf', tar, '.'])
  const places = await Promise.all(daemons.map(async (daemon) => ({ daemon, ...(await source(daemon, tar)) })))
  const rows: Row[] = []
  for (const way of ['over the bridge', 'through a published port'] as const) {
    const subjects = places.map(({ daemon, address, port }) => ({
      name: daemon.name,
      run: async () => void (await command(program, way === 'over the bridge' ? [address, '7000'] : [hostAddress(), port])),
    }))
    const figures = await inTurn(subjects, RUNS)
    const peer = figures.get('dockerd')?.medianMs
    for (const [subject, { medianMs, minMs, p90Ms, runs }] of figures)
      rows.push({
        what: `${MEGABYTES} MB ${way}`,
        subject,
        median: medianMs,
        min: minMs,
        p90: p90Ms,
        unit: 'ms',
        runs,
        ratio: subject === 'glovebox' && peer !== undefined ? { to: 'dockerd', value: medianMs / peer, bar: BAR } : null,
      })
  }
  for (const { daemon } of places) await command('docker', ['-H', `unix://${daemon.socketPath}`, 'rm', '-f', 'source'])
  return rows
}

async function source({ socketPath }: BenchDaemon, tar: string): Promise<{ readonly address: string; readonly port: string }> {
  const docker = async (...args: readonly string[]) => (await command('docker', ['-H', `unix://${socketPath}`, ...args])).trim()
  await docker('import', tar, 'probe:flow')
  await docker('run', '-d', '--name', 'source', '-p', '7000', 'probe:flow', '/bin/flow')
  const address = await docker('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'source')
  return { address, port: (await docker('port', 'source', '7000')).split('\n')[0]?.split(':').at(-1) ?? '' }
}

/** The first one that other machines could use: on the loopback dockerd's own proxy would be in the way. */
function hostAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
