import { parseReference } from '#oci/reference'

import type { CliContext } from '../command.ts'
import { serverKey, storedCredentials } from './store.ts'

/** What is kept for the registry of an image, as the daemon takes it; undefined when there is nothing. Errors: `cli.failed`. */
export async function registryAuth(image: string, context: CliContext): Promise<string | undefined> {
  const key = serverKey(parseReference(image).registry)
  const found = await storedCredentials(key, context)
  return found === undefined ? undefined : encodeAuth(found, key)
}

function encodeAuth(credentials: object, key: string): string {
  return Buffer.from(JSON.stringify({ ...credentials, serveraddress: key })).toString('base64url')
}
