import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ErrorCode {
  readonly code: string
  readonly kind: string
  /** The folder that declares it. */
  readonly module: string
}

const DECLARATION = /declareErrors\(\{([\s\S]*?)\}\)/g
const ENTRY = /'([a-z0-9_]+\.[a-z0-9_]+)': '([a-z_]+)'/g

/** Every code that a `declareErrors` in src/ declares, in order of the code. */
export function errorCodes(root: string): readonly ErrorCode[] {
  const paths = globSync('src/**/*.ts', { cwd: root }).filter((path) => !/\.test\.ts$|\/(?:testing|fake)/.test(path))
  const codes = paths.flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8').replaceAll(/^\s*\*.*$/gm, '')
    const module = path.slice('src/'.length, path.lastIndexOf('/'))
    return [...text.matchAll(DECLARATION)].flatMap(([, body]) =>
      [...(body ?? '').matchAll(ENTRY)].map(([, code, kind]) => ({ code: code ?? '', kind: kind ?? '', module })),
    )
  })
  return codes.toSorted((a, b) => (a.code < b.code ? -1 : 1))
}

/** `docs/errors.md`: made from the code, and checked against it. */
export function errorsPage(codes: readonly ErrorCode[]): string {
  const rows = codes.map(({ code, kind, module }) => `| \`${code}\` | ${kind} | ${module} |`)
  return `# Errors

Every error carries a code, which says what went wrong, and a kind, which decides what the edges do about it: the HTTP status, the
exit code, whether trying again makes sense. This page is made from the code by \`node tools/errors.ts\`; \`npm run check\` compares.

| Kind | HTTP status | Trying again |
|---|---|---|
| invalid | 400 | not before the request is changed |
| denied | 403 | no |
| not_found | 404 | no |
| conflict | 409 | once what is in the way is gone |
| unsupported | 501 | no |
| exhausted, unavailable | 503 | later |
| timeout | 500 | yes |
| cancelled | 500 | if still wanted |
| internal | 500 | a defect: please report it |

| Code | Kind | Declared in |
|---|---|---|
${rows.join('\n')}
`
}
