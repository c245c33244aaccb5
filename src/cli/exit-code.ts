import { GloveboxError, messageOf } from '#base'

import { type Paint, printable } from './output/colour.ts'

const EXIT_USAGE = 2
export const EXIT_UNREACHABLE = 3

/** 0 done, 1 failed, 2 wrong usage, 3 no daemon, 130 interrupted. `run` and `exec` have codes of their own on top. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof GloveboxError)) return 1
  if (error.code === 'cli.usage' || error.code === 'cli.unsupported') return EXIT_USAGE
  if (error.code === 'client.unreachable' || error.code === 'client.denied') return EXIT_UNREACHABLE
  return error.kind === 'cancelled' ? 130 : 1
}

/** `glovebox: message`, and what to do about it on the next line. */
export function errorText(error: unknown, paint: Paint): string {
  const hint = error instanceof GloveboxError ? error.hint : undefined
  const isOurs = error instanceof GloveboxError && error.kind !== 'internal'
  // A defect of ours is shown with its stack: it is all there is to find it by.
  const stack =
    isOurs || !(error instanceof Error) || error instanceof GloveboxError
      ? ''
      : `${error.stack?.split('\n').slice(1, 6).join('\n') ?? ''}\n`
  const lines = messageOf(error).split('\n').map(printable).join('\n')
  return `${paint('red', 'glovebox:')} ${lines}\n${stack}${hint === undefined ? '' : `${paint('dim', '  hint:')} ${printable(hint)}\n`}`
}
