import { linuxFiles } from '../files.ts'
import type { FilePort } from '../port-files.ts'
import type { Host } from '../port.ts'
import { lazySyscalls } from '../syscalls.ts'
import { fakeCgroups } from './cgroups.ts'
import type { FakeCgroups } from './cgroups.ts'
import { fakeKernel } from './kernel.ts'
import type { FakeKernelOptions } from './kernel.ts'
import { fakeMounts } from './mounts.ts'
import { fakeNetwork } from './network.ts'
import type { FakeNetwork, FakeNetworkOptions } from './network.ts'
import { fakeProcesses } from './processes.ts'
import type { FakeProcesses } from './processes.ts'
import { recorder } from './record.ts'
import type { Recorder } from './record.ts'

export interface FakeHost extends Host, Pick<Recorder, 'calls' | 'failNext'> {
  readonly cgroups: FakeCgroups
  readonly processes: FakeProcesses
  readonly network: Pick<FakeNetwork, 'pins' | 'tables'>
}

/**
 * A host for unit tests: it remembers what it was asked and keeps a small world of its own, without touching the kernel.
 * Files are the exception: calls on plain files work on the real ones (a test's own directory), needing no privilege;
 * device nodes and trusted attributes are kept in memory.
 */
export function fakeHost(options: FakeNetworkOptions & FakeKernelOptions = {}): FakeHost {
  const record = recorder()
  const network = fakeNetwork(record, options)
  const processes = fakeProcesses(record)
  return {
    calls: record.calls,
    failNext: record.failNext,
    mounts: fakeMounts(record),
    namespaces: network.namespaces,
    links: network.links,
    nftables: network.nftables,
    netfilter: network.netfilter,
    forwarding: network.forwarding,
    sockets: network.sockets,
    network,
    cgroups: fakeCgroups(record, processes.exit),
    processes,
    files: fakeFiles(record),
    kernel: fakeKernel(record, options),
    [Symbol.dispose]: () => undefined,
  }
}

function fakeFiles({ record }: Recorder): FilePort {
  const attributes = new Map<string, Map<string, Buffer>>()
  const devices = new Map<string, { readonly major: number; readonly minor: number }>()
  return {
    ...linuxFiles(lazySyscalls()),
    lgetxattr: (path, name) => attributes.get(path)?.get(name),
    lsetxattr: (path, name, value) => {
      record('files.lsetxattr', path, name, value)
      attributes.set(path, (attributes.get(path) ?? new Map<string, Buffer>()).set(name, Buffer.from(value)))
    },
    lremovexattr: (path, name) => void attributes.get(path)?.delete(name),
    llistxattr: (path) => [...(attributes.get(path)?.keys() ?? [])],
    mknod: (path, mode, device = { major: 0, minor: 0 }) => {
      record('files.mknod', path, mode, device)
      devices.set(path, device)
    },
    deviceNumbers: (path) => devices.get(path),
  }
}
