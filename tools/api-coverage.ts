/** Writes docs/api-coverage.md from the table that the tests of the Docker Engine API run over. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { coveragePage } from '../test/client/api/coverage-page.ts'

writeFileSync(join(import.meta.dirname, '../docs/api-coverage.md'), coveragePage())
