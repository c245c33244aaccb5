import { CHECK_RULES } from '../../src/engine/builder/checks/index.ts'
import { LANGUAGE_ROWS } from './rows-language.ts'
import { METADATA_ROWS } from './rows-metadata.ts'
import { STAGE_ROWS } from './rows-stages.ts'
import { STEP_ROWS } from './rows-steps.ts'
import type { Row } from './row.ts'

export const ROWS: readonly Row[] = [...LANGUAGE_ROWS, ...STAGE_ROWS, ...STEP_ROWS, ...METADATA_ROWS]

const STATES: Readonly<Record<Row['state'], string>> = { yes: 'yes', differs: 'differs', refused: 'refused by name' }

/** `docs/dockerfile.md`: made from the rows that the tests build. */
export function dockerfilePage(): string {
  const areas = [...new Set(ROWS.map(({ area }) => area))]
  const tables = areas.map((area) => {
    const rows = ROWS.filter((row) => row.area === area).map(
      ({ item, state, note }) => `| ${cell(item)} | ${STATES[state]} | ${cell(note ?? '')} |`,
    )
    return `## ${area}\n\n| Item | State | Remark |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  const checks = CHECK_RULES.map(
    ({ name, description, isExperimental }) => `| \`${name}\` | ${cell(description)} | ${isExperimental ? 'experimental' : ''} |`,
  )
  return `# Dockerfile

What of the Dockerfile language (frontend 1.x) this builder knows. The page is made by \`node tools/dockerfile-page.ts\` from the rows that
the tests build one by one; \`npm run check\` compares. Whatever is refused names its line.

${tables.join('\n')}
## Build checks

\`--check\` (or \`call: check\` of our API) tells them without building; \`# check=skip=NAME\` and the build argument
\`BUILDKIT_DOCKERFILE_CHECK\` leave some out. \`outline\` and \`targets\` tell what a target takes and which there are.

| Check | Holds when | |
|---|---|---|
${checks.join('\n')}
`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
