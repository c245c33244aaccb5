/** Shortest equal path by text alone, as Go's `path.Clean`: no `.`, no empty component, `..` taken back where it can be. */
export function cleanPath(path: string): string {
  const isAbsolute = path.startsWith('/')
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!isAbsolute) kept.push(part)
  }
  const text = kept.join('/')
  if (isAbsolute) return `/${text}`
  return text === '' ? '.' : text
}

/** A path inside a root, without a leading slash: `..` never leaves it. The root itself is the empty string. */
export function insideRoot(path: string): string {
  return cleanPath(`/${path}`).slice(1)
}
