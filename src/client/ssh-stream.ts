import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'

import { messageOf } from '#base'

import { clientError } from './errors.ts'
import type { SshPlace } from './place.ts'

/** A connection to the daemon of another machine through ssh(1), which asks for passwords and complains on our own terminal. */
export function sshStream(place: SshPlace): Duplex {
  const child = spawn('ssh', [...place.words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin })
  child.on('error', (error) =>
    stream.destroy(
      clientError('client.unreachable', `${place.address}: ${messageOf(error)}`, {
        cause: error,
        hint: 'Install ssh: apt-get install openssh-client.',
      }),
    ),
  )
  child.on('exit', (code) => {
    // 255 is ssh's own failure; 127 is a shell's that knows no glovebox.
    if (code === 0 || code === null) return
    stream.destroy(
      clientError('client.unreachable', `${place.address}: ssh ended with exit code ${code}`, {
        hint: 'Does `ssh` reach the machine without a question, and is glovebox on the path there?',
      }),
    )
  })
  stream.on('close', () => child.kill())
  return stream
}
