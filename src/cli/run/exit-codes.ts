import { GloveboxError, messageOf } from '#base'

export const EXIT_DAEMON = 125
const EXIT_CANNOT_INVOKE = 126
const EXIT_NOT_FOUND = 127

/** The codes of `docker run` for a container that could not be started: 125, or 126 and 127 as a shell has them. */
export function startFailureCode(error: unknown): number {
  const message = messageOf(error)
  if (/executable file .*not found|no such file or directory|command not found/i.test(message)) return EXIT_NOT_FOUND
  if (/permission denied|is a directory|exec format error/i.test(message)) return EXIT_CANNOT_INVOKE
  return EXIT_DAEMON
}

/** What to do about an image that is not here. */
export function withImageHint(error: unknown, image: string): unknown {
  if (!(error instanceof GloveboxError) || error.kind !== 'not_found' || error.hint !== undefined) return error
  // Wrong words or a missing container are no missing image.
  if (!/image|manifest/i.test(error.message)) return error
  const bootstrap = /^(?:docker\.io\/(?:library\/)?)?debian:/.test(image)
  return new GloveboxError(error.code, error.kind, error.message, {
    cause: error,
    hint: bootstrap
      ? `Make it with \`glovebox image bootstrap ${image}\`.`
      : 'See what is there with `glovebox image ls`; build, load or import what is not.',
  })
}
