import type { SourceFile, Violation } from './source.ts'

/** No import cycles between files, type imports included: each is shown once, as the path round it. */
export function cycles(files: readonly SourceFile[]): readonly Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const violations: Violation[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      violations.push({ rule: 'cycles', path, line: 1, message: `import cycle: ${[...trail.slice(at), path].join(' → ')}` })
      return
    }
    const file = byPath.get(path)
    if (file === undefined || done.has(path)) return
    for (const found of file.imports) if (found.target !== undefined) visit(found.target, [...trail, path])
    done.add(path)
  }
  for (const file of files) visit(file.path, [])
  return violations
}
