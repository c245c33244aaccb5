/**
 * Dockerfiles: text to a typed syntax tree with line numbers (`parseDockerfile`), and the expansion of variables in its words
 * (`expandWord`). The syntax is that of the Dockerfile reference, frontend 1.x: directives, continuations, comments, here-documents,
 * flags, JSON and shell forms. Pure; the only errors are `dockerfile.*`, which name file, line and what to write instead; time and
 * memory are bounded for any input.
 */
export { dockerfileError } from './errors.ts'
export type { Place } from './place.ts'
export { expandBody, expandWord, expandWords, type Expansion } from './expand.ts'
export { parseDockerfile, parseTrigger, type ParseOptions } from './parse.ts'
export type * from './tree.ts'
