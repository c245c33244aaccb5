import { resolveExtends } from './extends.ts'
import { resolveIncludes } from './include.ts'
import { openFile, type Loading } from './open-file.ts'
import type { MapNode, Origin } from './source-node.ts'

/** One file of the application with all that it extends and includes. `chain`: files that lead to it by including. */
export function loadFile(text: string, origin: Origin, loading: Loading, chain: readonly string[] = []): MapNode | undefined {
  const file = openFile(text, origin, loading)
  if (file === undefined) return undefined
  return resolveIncludes(resolveExtends(file, loading), { loading, chain: [...chain, origin.file], load: loadFile })
}
