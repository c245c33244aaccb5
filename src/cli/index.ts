/**
 * Command line: its commands as functions of their words. Programs start at `main.ts`; from here a process that runs already may have read-only
 * commands drawn, which print what the program would print.
 */
export { readOnlyOutput } from './read-only.ts'
