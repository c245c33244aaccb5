import { verifier } from '#oci/digest'
import type { Descriptor } from '#oci/image'

import { registryError } from './errors.ts'
import type { Repository } from './repository.ts'

/** A small blob in memory, checked. Errors: `registry.answer_too_large`, `digest.mismatch`, `digest.size_mismatch`. */
export async function readWhole(repository: Repository, blob: Descriptor, maxBytes: number, what: string): Promise<Buffer> {
  const { digest, sizeBytes } = blob
  if (sizeBytes > maxBytes)
    throw registryError('registry.answer_too_large', `${what} has ${sizeBytes} bytes, more than ${maxBytes}`)
  const check = verifier({ digests: [digest], sizeBytes }, what)
  const chunks: Uint8Array[] = []
  for await (const chunk of repository.blob(digest, sizeBytes, what)) {
    check.update(chunk)
    chunks.push(chunk)
  }
  check.finish()
  return Buffer.concat(chunks)
}
