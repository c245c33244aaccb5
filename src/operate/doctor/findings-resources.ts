import type { HostFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { inBytes, note, ok, problem, warning } from './make.ts'

const GIB = 1024 ** 3
/** A base image, a build and its layers fit into this. */
const LITTLE_DISK_BYTES = 5 * GIB
/** Not even one base image fits. */
const NO_DISK_BYTES = GIB
const LITTLE_MEMORY_BYTES = GIB
/** The daemon, its proxies and a dozen containers hold some thousand files open. */
const FEW_FILES = 4096

export function resourceFindings(facts: HostFacts): readonly Finding[] {
  return [cpuAndMemory(facts), ...disk(facts), openFiles(facts), ...clock(facts)]
}

function cpuAndMemory({ cpus, memoryBytes, availableMemoryBytes }: HostFacts): Finding {
  const what = `${cpus} CPU${cpus === 1 ? '' : 's'}, ${inBytes(memoryBytes)} of memory, ${inBytes(availableMemoryBytes)} of it available.`
  if (availableMemoryBytes >= LITTLE_MEMORY_BYTES) return ok('host.memory', what)
  return warning(
    'host.memory',
    what,
    'Builds and databases want more than that; the kernel would kill processes to make room.',
    'Free some memory, or give containers limits.',
  )
}

function disk({ disk: space }: HostFacts): readonly Finding[] {
  if (space === null) return []
  const what = `${inBytes(space.availableBytes)} of ${inBytes(space.totalBytes)} are free where images are kept (${space.path}).`
  const why = 'A base image takes about 150 MiB, and each build as much as it installs.'
  const advice = 'Make room (`glovebox system gc --dry-run` shows which images nobody uses), or choose another place with --root.'
  if (space.availableBytes < NO_DISK_BYTES) return [problem('host.disk', what, why, advice)]
  if (space.availableBytes < LITTLE_DISK_BYTES) return [warning('host.disk', what, why, advice)]
  return [ok('host.disk', what)]
}

function openFiles({ nofileHard }: HostFacts): Finding {
  const what = `At most ${nofileHard === Infinity ? 'any number of' : nofileHard} open files a process.`
  if (nofileHard >= FEW_FILES) return ok('host.nofile', what)
  return warning(
    'host.nofile',
    what,
    'The daemon and its proxies hold connections and logs of all containers open.',
    'Raise the hard limit (ulimit -Hn) before starting the daemon.',
  )
}

function clock({ nowMs, knownPastMs }: HostFacts): readonly Finding[] {
  if (knownPastMs === null) return []
  if (nowMs >= knownPastMs) return [ok('host.clock', 'The clock is not behind.')]
  return [
    note(
      'host.clock',
      `The clock (${new Date(nowMs).toISOString()}) is behind files of this very program (${new Date(knownPastMs).toISOString()}).`,
      'Certificates and package lists are judged by it, so making a base image may fail.',
      'Set the clock, or start a time service.',
    ),
  ]
}
