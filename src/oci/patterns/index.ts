/**
 * Path patterns of builds: Go's `filepath.Match` for COPY sources, and `.dockerignore` files with `**`, `!`, "the last match wins" and
 * the rule that a matched directory takes what is in it along. Pure. Time is bounded by path length times pattern length.
 */
export { automaton, type Accepts, type Automaton, type State } from './automaton.ts'
export { cleanPath, insideRoot } from './clean.ts'
export { patternError } from './errors.ts'
export { compileGlob, hasWildcard, type Glob, type GlobOptions } from './glob.ts'
export { ignoreRules, parseIgnoreFile, selectContext, type IgnoreRules } from './ignore.ts'
