import { type ChildProcess, spawn } from 'node:child_process'
import { Duplex, type Readable, Writable } from 'node:stream'

import { messageOf } from '#base'

import { clientError } from './errors.ts'
import type { SshPlace } from './place.ts'

/** A connection to the daemon of another machine through ssh(1), which asks for passwords and complains on our own terminal. */
export function sshStream(place: SshPlace): Duplex {
  const child = spawn('ssh', [...place.words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = endOf(child, place)
  // Looked at where the answer ends; until then its failure must not count as unobserved.
  ended.catch(() => undefined)
  const stream = Duplex.from({ readable: answer(child.stdout, ended), writable: question(child.stdin) })
  stream.on('close', () => child.kill())
  return stream
}

/** An ssh that is gone takes nothing more; why it went is said where the answer is read. */
function question(input: Writable): Writable {
  input.on('error', () => undefined)
  return new Writable({
    write: (chunk, _encoding, done) => void input.write(chunk, () => done()),
    final: (done) => void input.end(() => done()),
  })
}

/** An answer that was cut off because ssh failed says so, and does not just end. */
async function* answer(output: Readable, ended: Promise<void>): AsyncGenerator<Buffer> {
  for await (const chunk of output as AsyncIterable<Buffer>) yield chunk
  await ended
}

async function endOf(child: ChildProcess, place: SshPlace): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('exit', resolve)
    child.on('error', (error) =>
      reject(
        clientError('client.unreachable', `${place.address}: ${messageOf(error)}`, {
          cause: error,
          hint: 'Install ssh: apt-get install openssh-client.',
        }),
      ),
    )
  })
  // 255 is ssh's own failure; 127 is that of a shell that knows no glovebox.
  if (code === 0 || code === null) return
  throw clientError('client.unreachable', `${place.address}: ssh ended with exit code ${code}`, {
    hint: 'Does `ssh` reach the machine without a question, and is glovebox on the path there?',
  })
}
