import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { messageOf } from '#base'

import { snapshotError } from './errors.ts'

/**
 * Runs in namespaces of its own. Makes a root that holds the host's programs, read-only, and the target; leaves the host's root; and
 * becomes tar. umount(8) wants a /proc, which shows this process alone. $1 is an empty directory, $2 the target; nothing else is put into this text.
 */
const JAIL = `set -e
mount -t tmpfs -o size=1m,mode=755 none "$1"
cd "$1"
mkdir target old proc
mount -t proc none proc
for part in usr bin lib lib32 lib64 libx32; do
  if [ -L "/$part" ]; then cp -P "/$part" "$part"
  elif [ -d "/$part" ]; then mkdir "$part"; mount --bind "/$part" "$part"; mount -o remount,bind,ro "$part"
  fi
done
mount --bind "$2" target
pivot_root . old
cd /
umount --lazy /old
umount --lazy /proc
exec tar --extract --file=- --directory=/target --absolute-names --numeric-owner --same-owner --preserve-permissions --delay-directory-restore --warning=no-timestamp --xattrs --xattrs-include='*'`

/** Enough for tar's first complaints. */
const MAX_COMPLAINT_BYTES = 8 * 1024

/** GNU tar writes the archive into `target`. `jail` is an empty directory for its root. Errors: `snapshot.unpack_failed`. */
export async function unpackConfined(options: { readonly archive: Readable; readonly target: string; readonly jail: string }) {
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--net',
      '--ipc',
      '--pid',
      '--fork',
      '--kill-child',
      '--propagation',
      'private',
      'sh',
      '-c',
      JAIL,
      'unpack',
      options.jail,
      options.target,
    ],
    { stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } },
  )
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaint.length < MAX_COMPLAINT_BYTES) complaint += text
  })
  const ended = once(child, 'close')
  // Awaited below; a failed start must not count as unhandled meanwhile.
  ended.catch(() => undefined)
  const fed = await pipeline(options.archive, child.stdin).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (fed !== undefined) child.kill('SIGKILL')
  const [code, signal] = (await ended.catch((error: unknown) => [messageOf(error), null])) as [
    number | string | null,
    string | null,
  ]
  if (code === 0 && fed === undefined) return
  const said = complaint.trim().slice(0, MAX_COMPLAINT_BYTES)
  const why = said !== '' ? said : fed !== undefined ? messageOf(fed) : `it ended with ${signal ?? code}`
  throw snapshotError('snapshot.unpack_failed', `unpack into ${options.target}: ${why}`, { cause: fed })
}

/** syncfs(2), which Node lacks. */
export async function syncFileSystem(path: string): Promise<void> {
  const child = spawn('sync', ['--file-system', path], { stdio: 'ignore' })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw snapshotError('snapshot.unpack_failed', `sync the file system of ${path}: it ended with ${code}`)
}
