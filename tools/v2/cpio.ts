export interface CpioFile {
  /** Without a leading slash. A directory comes before what is in it. */
  readonly path: string
  /** File type and permissions, as in st_mode. */
  readonly mode: number
  readonly body?: Uint8Array
}

const TRAILER = 'TRAILER!!!'

/** An initial RAM file system: "newc" of Documentation/driver-api/early-userspace/buffer-format.rst. Everything belongs to root. */
export function cpioArchive(files: readonly CpioFile[]): Buffer {
  return Buffer.concat([...files.flatMap((file, at) => member(file, at + 1)), ...member({ path: TRAILER, mode: 0 }, 0)])
}

function member({ path, mode, body = new Uint8Array() }: CpioFile, inode: number): readonly Uint8Array[] {
  const name = Buffer.from(`${path}\0`)
  // ino, mode, uid, gid, nlink, mtime, filesize, the device's and the node's numbers, namesize, check
  const fields = [inode, mode, 0, 0, 1, 0, body.length, 0, 0, 0, 0, name.length, 0]
  const header = Buffer.concat([Buffer.from(`070701${fields.map(hex).join('')}`), name])
  return [header, padding(header.length), body, padding(body.length)]
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4)
}
