/**
 * Command line: its commands as functions of their words. Programs start at `main.ts`; from here a process that runs already may have read-only
 * commands drawn and builds run, which print what the program would print.
 */
export { readOnlyOutput } from './read-only.ts'
export { servedBuild, type BuildServing } from './served-build.ts'
export { scanMemories, type ScanMemories, type SourceFiles } from '#client/context'
