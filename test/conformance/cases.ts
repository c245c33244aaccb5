import type { Case } from './case.ts'
import { LIST_CASES } from './list-cases.ts'
import { PULL_CASES } from './pull-cases.ts'
import { PUSH_CASES } from './push-cases.ts'

/** What the OCI distribution specification 1.1 demands of a registry, as cases that any registry can be put to. */
export const CASES: readonly Case[] = [...PULL_CASES, ...PUSH_CASES, ...LIST_CASES]
