/** Writes docs/compose.md from the rows that the tests read. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { composePage } from './compose/page.ts'

writeFileSync(join(import.meta.dirname, '../docs/compose.md'), composePage())
