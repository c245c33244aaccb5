import { statusOf } from '#api/http'
import { GloveboxError } from '#base'

/**
 * Clients tell errors apart by words as well as by status: the Python SDK looks for "No such image", others for "No such container".
 * These prefixes say it in those words where the engine's own message does not.
 */
const EXPECTED: Readonly<Record<string, string>> = {
  'image.not_found': 'No such image',
  'container.not_found': 'No such container',
  'exec.not_found': 'No such exec instance',
  'volume.not_found': 'no such volume',
}

export function inDockerWords(error: unknown): unknown {
  if (!(error instanceof GloveboxError)) return error
  const words = EXPECTED[error.code]
  if (words === undefined || error.message.toLowerCase().includes(words.toLowerCase())) return error
  const { code, kind, hint, details } = error
  const options = { cause: error, details, ...(hint === undefined ? {} : { hint }) }
  return new GloveboxError(code, kind, `${words}: ${error.message}`, options)
}

/** Where dockerd's class for it is another one than ours, and the API description names the status. */
const STATUS: Readonly<Record<string, number>> = {
  // To dockerd, removing a network under a container's feet is forbidden, not in conflict.
  'network.in_use': 403,
  // dockerd has no class for it; clients look for the words.
  'docker.update_out_of_sequence': 500,
}

export function dockerStatusOf(error: unknown): number {
  return (error instanceof GloveboxError ? STATUS[error.code] : undefined) ?? statusOf(error)
}
