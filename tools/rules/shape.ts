import type { SourceFile, Violation } from './source.ts'

/** Most files hold about a hundred lines; past this one holds two things. Tables of data are exempt by name. */
const MAX_LINES = 400
const TABLE = /(?:-table|-data|\.test)\.ts$/
const BANNED_NAMES = /(?:^|[-/])(?:manager|helpers?|utils?|handler|info|common|misc)(?:[-.]|$)/

/** The shape of files: length, names, and faces without logic. */
export function shape(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap((file) => {
    const violations: Violation[] = []
    const say = (rule: string, message: string) => violations.push({ rule, path: file.path, line: 1, message })
    const lines = file.text.split('\n').length - 1
    if (lines > MAX_LINES && !TABLE.test(file.path)) say('file-length', `${lines} lines; the most is ${MAX_LINES}`)
    const name = file.path.slice(file.path.lastIndexOf('/') + 1)
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.fuzz|\.d)?\.tsx?$/.test(name))
      say('file-name', `${name}: write file names in kebab-case`)
    if (BANNED_NAMES.test(name)) say('file-name', `${name} says nothing of what is inside: name the noun or the verb`)
    if (name === 'index.ts' && file.path.startsWith('src/')) {
      if (!file.text.startsWith('/**')) say('face', 'an index.ts starts with a comment that says what the module promises')
      if (/^(?:export )?(?:async )?(?:function|const|class)\b/m.test(file.code))
        say('face', 'an index.ts re-exports and holds no logic')
    }
    return violations
  })
}
