import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

import { instanceNames } from '../../src/engine/network/names.ts'
import { run } from './processes.ts'

const CGROUPS = '/sys/fs/cgroup'

/** All that one instance has on the host outside its own files: mounts, links, tables, cgroups, processes. A stopped one has nothing. */
export async function tracesOf(directory: string, instance: string): Promise<readonly string[]> {
  const names = instanceNames(instance)
  const links = await linesOf('ip', '-o', 'link')
  const tables = await linesOf('nft', 'list', 'tables')
  return [
    ...mountsBelow(directory).map((point) => `mount ${point}`),
    ...links.filter((line) => line.includes(` ${names.bridgePrefix}`) || line.includes(` ${names.linkPrefix}`)),
    ...tables.filter((line) => line.includes(names.table)),
    ...cgroupsOf(instance).map((path) => `cgroup ${path}`),
    ...processesOf(directory).map((line) => `process ${line}`),
  ]
}

async function linesOf(program: string, ...args: readonly string[]): Promise<readonly string[]> {
  return (await run(program, args)).stdout.split('\n')
}

function mountsBelow(directory: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(directory))
}

/** Version 1 has a tree per controller, version 2 one; ours lies at `glovebox/INSTANCE` in each. */
function cgroupsOf(instance: string): readonly string[] {
  const trees = [CGROUPS, ...namesIn(CGROUPS).map((name) => join(CGROUPS, name))]
  return trees
    .map((tree) => join(tree, 'glovebox'))
    .flatMap((path) => (namesIn(path).includes(instance) ? [join(path, instance)] : []))
}

/** Processes with the directory in their command line, or working inside it. */
function processesOf(directory: string): readonly string[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim())
      const cwd = attempt(() => readlinkSync(`/proc/${pid}/cwd`))
      return command.includes(directory) || cwd.startsWith(directory) ? [`${pid} ${command}`] : []
    })
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    // No such tree on this host, or gone meanwhile.
    return []
  }
}

function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
