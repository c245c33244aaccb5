/** Bytes of tar archives that no honest program writes (formats: POSIX.1-2017 pax, GNU tar). */

const BLOCK = 512
export const END = Buffer.alloc(2 * BLOCK)

export interface RawHeader {
  readonly name?: string | Buffer
  /** `0` file, `1` hard link, `2` symlink, `3` character device, `4` block device, `5` directory, `x` pax, `g` global pax, `L` long name. */
  readonly type?: string
  readonly link?: string
  readonly body?: string | Buffer
  readonly mode?: number
  /** What the size field says, as it stands there; of the body unless given. */
  readonly sizeField?: string | Buffer
  readonly device?: readonly [major: number, minor: number]
}

/** One header with its body, padded. */
export function raw({
  name = '',
  type = '0',
  link = '',
  body = '',
  mode = 0o644,
  sizeField,
  device = [0, 0],
}: RawHeader): Buffer {
  const content = Buffer.from(body as string)
  const header = Buffer.alloc(BLOCK)
  Buffer.from(name as string).copy(header, 0, 0, 100)
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  if (sizeField === undefined) octal(content.length, 124, 12)
  else Buffer.from(sizeField as string).copy(header, 124, 0, 12)
  octal(1_700_000_000, 136, 12)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(link, 157, 100)
  header.write('ustar\x0000', 257, 'latin1')
  octal(device[0], 329, 8)
  octal(device[1], 337, 8)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, padded(content)])
}

export const padded = (content: Buffer): Buffer =>
  Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)])

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (String(length).length + Buffer.byteLength(rest) !== length) length = String(length).length + Buffer.byteLength(rest)
  return `${length}${rest}`
}

export const pax = (records: readonly (readonly [key: string, value: string])[], type = 'x'): Buffer =>
  raw({ name: 'pax', type, body: records.map(([key, value]) => paxRecord(key, value)).join('') })

export const longName = (name: string | Buffer): Buffer =>
  raw({ name: '././@LongLink', type: 'L', body: Buffer.concat([Buffer.from(name as string), Buffer.alloc(1)]) })

export const file = (name: string | Buffer, body: string | Buffer = ''): Buffer => raw({ name, body })
export const directory = (name: string): Buffer => raw({ name: `${name}/`, type: '5', mode: 0o755 })
export const symlink = (name: string, link: string): Buffer => raw({ name, type: '2', link, mode: 0o777 })
export const hardlink = (name: string, link: string): Buffer => raw({ name, type: '1', link })

/** Base-256 numbers have the highest bit of the first byte set (GNU tar). */
export function base256(value: bigint): Buffer {
  const bytes = Buffer.alloc(12)
  let rest = BigInt.asUintN(96, value)
  for (let at = 11; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  if (value >= 0n) bytes[0] = 0x80
  return bytes
}

export const tar = (...members: readonly Buffer[]): Buffer => Buffer.concat([...members, END])
