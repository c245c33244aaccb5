import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { mustRun } from './command.ts'
import { MKFS, QEMU, VIRTIOFSD, type Kernel } from './packages.ts'

export interface Machine {
  readonly kernel: Kernel
  readonly initrd: Buffer
  readonly memoryMiB: number
  readonly cpus: number
  /** `tcg` works everywhere; `kvm` is for those who have it. */
  readonly accelerator: 'tcg' | 'kvm'
  /** After this the machine is turned off from outside. */
  readonly timeoutMs: number
  /** Each line of its serial console. */
  readonly onLine: (line: string) => void
}

const SOCKET_TIMEOUT_MS = 5000
/** Tests of full disks make small ones of their own. */
const DISK_BYTES = 8 * 1024 ** 3
const MKFS_TIMEOUT_MS = 30_000

/** Boots the machine with this host's root as its own, and waits until it has turned itself off. False: it had to be killed. */
export async function runMachine(machine: Machine): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-v2-'))
  const children: ChildProcess[] = []
  try {
    writeFileSync(join(directory, 'initrd'), machine.initrd)
    const disk = await makeDisk(directory)
    const socket = join(directory, 'fs.sock')
    children.push(spawn(VIRTIOFSD, fileServerArguments(socket), { stdio: ['ignore', 'ignore', 'pipe'] }))
    await appears(socket, children[0])
    const child = spawn(QEMU, machineArguments(machine, { initrd: join(directory, 'initrd'), socket, disk }), {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    eachLine(child, machine.onLine)
    return await endsWithin(child, machine.timeoutMs)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

function fileServerArguments(socket: string): readonly string[] {
  // The limit of open files may not be raised without CAP_SYS_RESOURCE. Files do not change while the guest runs.
  return [`--socket-path=${socket}`, '-o', 'source=/,cache=always,sandbox=chroot', '--rlimit-nofile=0', '--thread-pool-size=4']
}

/** For what the guest writes. Sparse: it takes what is written, and goes with the machine. */
async function makeDisk(directory: string): Promise<string> {
  const disk = join(directory, 'disk')
  writeFileSync(disk, '')
  truncateSync(disk, DISK_BYTES)
  await mustRun(MKFS, ['-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1', disk], { timeoutMs: MKFS_TIMEOUT_MS })
  return disk
}

interface MachineFiles {
  readonly initrd: string
  readonly socket: string
  readonly disk: string
}

function machineArguments(
  { kernel, memoryMiB, cpus, accelerator }: Machine,
  { initrd, socket, disk }: MachineFiles,
): readonly string[] {
  const memory = `memory-backend-memfd,id=memory,size=${memoryMiB}M,share=on`
  return [
    ...[
      '-machine',
      'q35,memory-backend=memory',
      '-accel',
      accelerator === 'tcg' ? 'tcg,thread=single' : accelerator,
      '-cpu',
      accelerator === 'kvm' ? 'host' : 'Nehalem',
    ],
    ...['-smp', String(cpus), '-m', `${memoryMiB}M`, '-object', memory],
    ...[
      '-kernel',
      kernel.image,
      '-initrd',
      initrd,
      '-append',
      'console=ttyS0 loglevel=2 panic=-1 mitigations=off random.trust_cpu=on',
    ],
    ...['-chardev', `socket,id=files,path=${socket}`, '-device', 'vhost-user-fs-pci,chardev=files,tag=host,queue-size=1024'],
    ...['-drive', `file=${disk},if=virtio,format=raw,cache=unsafe`],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio', '-monitor', 'none'],
  ]
}

async function appears(socket: string, server: ChildProcess | undefined): Promise<void> {
  let said = ''
  server?.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-4096)))
  for (let waitedMs = 0; !existsSync(socket); waitedMs += 20) {
    if (waitedMs > SOCKET_TIMEOUT_MS || server?.exitCode !== null)
      throw new Error(`${VIRTIOFSD} does not serve ${socket}: ${said.trim()}`)
    await sleep(20)
  }
}

function eachLine(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = ''
  const take = (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.replaceAll('\r', ''))
  }
  child.stdout?.setEncoding('utf8').on('data', take)
  child.stderr?.setEncoding('utf8').on('data', take)
}

async function endsWithin(child: ChildProcess, timeoutMs: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  child.on('error', reject)
  child.on('close', () => resolve(true))
  const limit = setTimeout(() => resolve(false), timeoutMs)
  return await promise.finally(() => clearTimeout(limit))
}
