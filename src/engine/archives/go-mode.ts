const S_IFMT = 0o170000

/** Go's os.FileMode (package io/fs, constants ModeDir to ModeIrregular). */
const MODE_DIRECTORY = 2 ** 31
const MODE_SYMLINK = 2 ** 27
const MODE_DEVICE = 2 ** 26
const MODE_NAMED_PIPE = 2 ** 25
const MODE_SOCKET = 2 ** 24
const MODE_SETUID = 2 ** 23
const MODE_SETGID = 2 ** 22
const MODE_CHAR_DEVICE = 2 ** 21
const MODE_STICKY = 2 ** 20
const MODE_IRREGULAR = 2 ** 19

const TYPE_BITS: Readonly<Record<number, number>> = {
  0o100000: 0,
  0o040000: MODE_DIRECTORY,
  0o120000: MODE_SYMLINK,
  0o060000: MODE_DEVICE,
  0o020000: MODE_DEVICE + MODE_CHAR_DEVICE,
  0o010000: MODE_NAMED_PIPE,
  0o140000: MODE_SOCKET,
}

/** From st_mode of stat(2). */
export function goFileMode(mode: number): number {
  return (
    (mode & 0o777) +
    (TYPE_BITS[mode & S_IFMT] ?? MODE_IRREGULAR) +
    ((mode & 0o4000) === 0 ? 0 : MODE_SETUID) +
    ((mode & 0o2000) === 0 ? 0 : MODE_SETGID) +
    ((mode & 0o1000) === 0 ? 0 : MODE_STICKY)
  )
}
