import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { run } from './processes.ts'

/** From Debian's busybox-static: a shell and its tools in one file that needs no library. */
const BUSYBOX = '/bin/busybox'

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n'
const GROUP = 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n'

/** A root file system that real commands run in, as a tar to import. Resolves to the tar's path. */
export async function busyboxTar(directory: string): Promise<string> {
  const root = join(directory, 'busybox')
  for (const name of ['bin', 'etc', 'tmp', 'root', 'home/app', 'empty']) mkdirSync(join(root, name), { recursive: true })
  cpSync(BUSYBOX, join(root, 'bin/busybox'))
  const { stdout } = await run(BUSYBOX, ['--list'])
  for (const name of stdout.split('\n').filter((line) => line !== '' && line !== 'busybox'))
    symlinkSync('busybox', join(root, 'bin', name))
  writeFileSync(join(root, 'etc/passwd'), PASSWD)
  writeFileSync(join(root, 'etc/group'), GROUP)
  writeFileSync(join(root, 'etc/notes'), 'not a program\n')
  const tar = join(directory, 'busybox.tar')
  const packed = await run('tar', ['-C', root, '-cf', tar, '.'])
  if (packed.code !== 0) throw new Error(`pack the image: ${packed.stderr}`)
  return tar
}
