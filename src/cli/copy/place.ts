/** One side of a copy. */
export type Place =
  | { readonly kind: 'container'; readonly container: string; readonly path: string }
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'stream' }

/** `CONTAINER:PATH`, a path of this machine, or `-`. A path that holds a colon begins with `/` or `.`. */
export function readPlace(word: string): Place {
  if (word === '-') return { kind: 'stream' }
  const colon = word.indexOf(':')
  if (colon <= 0 || word.startsWith('/') || word.startsWith('.')) return { kind: 'local', path: word }
  return { kind: 'container', container: word.slice(0, colon), path: word.slice(colon + 1) }
}

/** A slash or `/.` at the end: the directory is meant, not a link to it or a new name. */
export function meansDirectory(path: string): boolean {
  return path === '.' || path === '..' || /\/\.{0,2}$/.test(path)
}

/** Only what is in the directory, not the directory. */
export function meansContent(path: string): boolean {
  return path === '.' || path.endsWith('/.')
}
