/** Writes docs/dockerfile.md from the rows that the tests build. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { dockerfilePage } from './dockerfile/page.ts'

writeFileSync(join(import.meta.dirname, '../docs/dockerfile.md'), dockerfilePage())
