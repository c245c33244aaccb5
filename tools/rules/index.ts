/** The rules of the house that no linter knows, as functions from sources to violations. */
export { ambient } from './ambient.ts'
export { cycles } from './cycles.ts'
export { layers } from './layers.ts'
export { shape } from './shape.ts'
export { readSources, type Violation } from './source.ts'
