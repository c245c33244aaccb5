import { unescaped } from '../listing/listing.ts'
import { compileTemplate } from '../template/template.ts'

/** One value by a template of Go; `\t` and `\n` outside of its actions stand for what they mean. Errors: `cli.usage`, with the place. */
export function fillTemplate(template: string, value: unknown): string {
  return compileTemplate(unescaped(template)).render(value)
}
