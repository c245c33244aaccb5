import type { Exam } from './wire.ts'

/** One demand of the specification, and how to see whether a registry meets it. */
export interface Case {
  /** Section of the OCI distribution specification 1.1, or of Docker's registry API where that says more. */
  readonly section: string
  readonly title: string
  readonly run: (exam: Exam) => Promise<void>
}

export function section(name: string, cases: Readonly<Record<string, Case['run']>>): readonly Case[] {
  return Object.entries(cases).map(([title, run]) => ({ section: name, title, run }))
}
