import type { TerminalSize, Upgraded } from '#client'

import type { CliContext } from '../command.ts'
import { copyOutput } from './copy-output.ts'
import { detachWatch, parseDetachKeys } from './detach-keys.ts'
import { rawTerminal } from './raw-terminal.ts'

export interface SessionOptions {
  readonly isInteractive: boolean
  readonly hasTty: boolean
  /** Empty: there are none. */
  readonly detachKeys: string
  readonly resize: (size: TerminalSize) => Promise<void>
}

/** Joins our terminal to a process until its output ends or the user detaches. */
export async function session(upgraded: Upgraded, options: SessionOptions, context: CliContext): Promise<'ended' | 'detached'> {
  const { socket } = upgraded
  const { stdin } = context.terminal
  const detached = Promise.withResolvers<'detached'>()
  const isRawInput = options.hasTty && options.isInteractive && stdin.isTTY
  using _raw = isRawInput ? rawTerminal(stdin) : undefined
  using _input = options.isInteractive ? joinInput() : undefined
  using _size = options.hasTty ? followSize(options, context) : undefined
  try {
    const output = copyOutput(socket, options.hasTty, context.terminal, upgraded.head).then(() => 'ended' as const)
    const outcome = await Promise.race([output, detached.promise])
    if (outcome === 'detached') output.catch(() => undefined)
    return outcome
  } finally {
    socket.destroy()
  }

  function joinInput(): Disposable {
    const watch = isRawInput && options.detachKeys !== '' ? detachWatch(parseDetachKeys(options.detachKeys)) : undefined
    const onBytes = (chunk: Buffer) => {
      const { pass, isDetached } = watch?.(chunk) ?? { pass: chunk, isDetached: false }
      // Slow processes slow the typing, or a file on stdin would pile up here.
      if (pass.length > 0 && !socket.write(pass)) {
        stdin.pause()
        socket.once('drain', () => stdin.resume())
      }
      if (isDetached) detached.resolve('detached')
    }
    const onEnd = () => socket.end()
    // The process may close its input, or end, while we still write; its output says what happened.
    socket.on('error', () => undefined)
    stdin.on('data', onBytes)
    stdin.once('end', onEnd)
    return {
      [Symbol.dispose]: () => {
        stdin.off('data', onBytes)
        stdin.off('end', onEnd)
        stdin.pause()
      },
    }
  }
}

function followSize(options: SessionOptions, context: CliContext): Disposable {
  const { stdout } = context.terminal
  const tell = () => {
    // A process that has ended meanwhile has no size: the session tells its end anyway.
    void options.resize({ rows: stdout.rows, columns: stdout.columns }).catch(() => undefined)
  }
  if (!stdout.isTty) return { [Symbol.dispose]: () => undefined }
  tell()
  return context.onSignal('SIGWINCH', tell)
}
