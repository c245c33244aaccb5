import { isKind } from '#base'
import type { Client, PathStat } from '#client'

/** What lies at a path of a container; undefined: nothing. A container that is not there is an error. */
export async function lookAt(client: Client, container: string, path: string): Promise<PathStat | undefined> {
  try {
    return await client.containers.statPath(container, path)
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error
    // The answer has no words: this one tells a container that is not there from a path that is not.
    await client.containers.inspect(container)
    return undefined
  }
}
