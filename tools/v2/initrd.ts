import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { cpioArchive, type CpioFile } from './cpio.ts'
import { loadOrder, modulesBelow } from './modules.ts'
import { BUSYBOX, type Kernel } from './packages.ts'

/** What the guest is told. Paths are those of the host, for the guest sees the same tree. */
export interface GuestTask {
  /** Where the project lies. */
  readonly home: string
  readonly node: string
  /** Test files, relative to `home`. */
  readonly tests: readonly string[]
}

/**
 * The machine's devices, its file systems, and what containers need of the kernel: overlayfs, bridges, links, and nftables with
 */
const MODULES = [
  ...['virtio_pci', 'virtio_blk', 'virtiofs', 'overlay', 'erofs', 'loop'],
  ...['bridge', 'br_netfilter', 'veth', 'vxlan', 'nf_tables', 'nf_nat', 'nf_conntrack_netlink'],
  ...['nft_chain_nat', 'nft_nat', 'nft_masq', 'nft_redir', 'nft_ct', 'nft_fib', 'nft_fib_ipv4', 'nft_fib_ipv6', 'nft_fib_inet'],
  ...['nft_hash', 'nft_numgen', 'nft_limit', 'nft_log', 'nft_reject', 'nft_reject_ipv4', 'nft_reject_inet', 'nft_compat'],
]

const DIRECTORY = 0o040_755
const PROGRAM = 0o100_755
const FILE = 0o100_644

export function initrd(kernel: Kernel, task: GuestTask): Buffer {
  const modules = loadOrder(modulesBelow(kernel.modules), MODULES)
  const script = (name: string) => readFileSync(join(import.meta.dirname, name))
  const text = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const directories = ['bin', 'dev', 'v2', 'v2/modules']
  return cpioArchive([
    ...directories.map((path): CpioFile => ({ path, mode: DIRECTORY })),
    { path: 'init', mode: PROGRAM, body: script('guest-boot.sh') },
    { path: 'v2/busybox', mode: PROGRAM, body: readFileSync(BUSYBOX) },
    { path: 'v2/guest-run.sh', mode: FILE, body: script('guest-run.sh') },
    { path: 'v2/home', mode: FILE, body: text([task.home]) },
    { path: 'v2/node', mode: FILE, body: text([task.node]) },
    { path: 'v2/tests', mode: FILE, body: text(task.tests) },
    { path: 'v2/order', mode: FILE, body: text(modules.map(({ path }) => basename(path))) },
    ...modules.map(({ path }): CpioFile => ({ path: `v2/modules/${basename(path)}`, mode: FILE, body: readFileSync(path) })),
  ])
}
