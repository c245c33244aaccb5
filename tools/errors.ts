/** Writes docs/errors.md from the codes that the sources declare. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { errorCodes, errorsPage } from './error-codes.ts'

const ROOT = join(import.meta.dirname, '..')
writeFileSync(join(ROOT, 'docs/errors.md'), errorsPage(errorCodes(ROOT)))
