/** Debian packages that make the guest: the emulator is installed, the kernel is only unpacked, for it must not become this host's. */
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { mustRun, run } from './command.ts'

export const QEMU = '/usr/bin/qemu-system-x86_64'
export const VIRTIOFSD = '/usr/lib/qemu/virtiofsd'
export const BUSYBOX = '/bin/busybox'
export const MKFS = '/sbin/mkfs.ext4'

const TOOLS: readonly (readonly [path: string, name: string])[] = [
  [QEMU, 'qemu-system-x86'],
  [VIRTIOFSD, 'qemu-system-common'],
  [BUSYBOX, 'busybox-static'],
  [MKFS, 'e2fsprogs'],
  ['/usr/bin/crun', 'crun'],
  ['/usr/sbin/nft', 'nftables'],
]

/** The one that always points to the newest kernel of Debian's clouds: small, and without firmware. */
const KERNEL = 'linux-image-cloud-amd64'
const INSTALL_TIMEOUT_MS = 240_000
const DOWNLOAD_TIMEOUT_MS = 120_000

export async function bringTools(): Promise<void> {
  const missing = TOOLS.filter(([path]) => !isProgram(path)).map(([, name]) => name)
  if (missing.length === 0) return
  process.stdout.write(`installing Debian packages that the guest needs: ${missing.join(' ')}\n`)
  const install = ['install', '-y', '--no-install-recommends', ...missing]
  // RUNLEVEL=1: services that come with a package are not started.
  const options = { timeoutMs: INSTALL_TIMEOUT_MS, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } }
  if ((await run('apt-get', install, options)).code === 0) return
  await mustRun('apt-get', ['update'], options)
  await mustRun('apt-get', install, options)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Kernel {
  readonly image: string
  readonly release: string
  /** The directory with its modules. */
  readonly modules: string
}

/** The kernel's package, unpacked below the directory. Kept there for the next time. */
export async function bringKernel(directory: string): Promise<Kernel> {
  const home = join(directory, 'kernel')
  if (!existsSync(home)) await unpackKernel(home)
  const image = readdirSync(join(home, 'boot')).find((name) => name.startsWith('vmlinuz-'))
  if (image === undefined) throw new Error(`no kernel in ${home}: delete it, and it is brought again`)
  const release = image.slice('vmlinuz-'.length)
  const modules = [join(home, 'lib/modules', release), join(home, 'usr/lib/modules', release)].find(existsSync)
  if (modules === undefined) throw new Error(`no modules of ${release} in ${home}: delete it, and it is brought again`)
  return { image: join(home, 'boot', image), release, modules: join(modules, 'kernel') }
}

async function unpackKernel(home: string): Promise<void> {
  mkdirSync(dirname(home), { recursive: true })
  const temporary = mkdtempSync(`${home}.`)
  try {
    const name = await newestKernel()
    process.stdout.write(`downloading ${name}\n`)
    await mustRun('apt-get', ['download', name], { timeoutMs: DOWNLOAD_TIMEOUT_MS, cwd: temporary })
    const archive = readdirSync(temporary).find((file) => file.endsWith('.deb'))
    if (archive === undefined) throw new Error(`apt-get download ${name} left no package`)
    const tree = join(temporary, 'tree')
    await mustRun('dpkg', ['-x', join(temporary, archive), tree], { timeoutMs: DOWNLOAD_TIMEOUT_MS })
    renameSync(tree, home)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

async function newestKernel(): Promise<string> {
  const options = { timeoutMs: DOWNLOAD_TIMEOUT_MS }
  const { output } = await run('apt-cache', ['depends', KERNEL], options)
  const name = /Depends: (linux-image-\S+)/.exec(output)?.[1]
  if (name !== undefined) return name
  await mustRun('apt-get', ['update'], options)
  const again = /Depends: (linux-image-\S+)/.exec(await mustRun('apt-cache', ['depends', KERNEL], options))?.[1]
  if (again === undefined) throw new Error(`${KERNEL} names no kernel: is this Debian on amd64?`)
  return again
}
