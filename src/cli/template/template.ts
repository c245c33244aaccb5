import { evaluate, type Evaluation } from './evaluate.ts'
import { FUNCTION_NAMES, FUNCTIONS, HEADING_FUNCTIONS } from './functions.ts'
import { parseTemplate } from './parse.ts'

export interface CompiledTemplate {
  /** Errors: `cli.usage`, with the place in the template. */
  render(value: unknown): string
  /** The template over the headings of a table's columns. */
  heading(value: unknown): string
}

/** Every field that there is stands in the value. */
const nothingAbsent: Evaluation['absent'] = () => undefined

/** Reads a template of Go's text/template once, to fill it many times. Errors: `cli.usage`. */
export function compileTemplate(source: string, absent: Evaluation['absent'] = nothingAbsent): CompiledTemplate {
  const template = parseTemplate(source, FUNCTION_NAMES)
  return {
    render: (value) => evaluate(template, value, { source, functions: FUNCTIONS, absent }),
    heading: (value) => evaluate(template, value, { source, functions: HEADING_FUNCTIONS, absent }),
  }
}
