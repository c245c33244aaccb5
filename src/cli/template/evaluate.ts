import { nearest } from '#base'
import { templateFailure } from './failure.ts'
import { type TemplateFunction, WrongArguments } from './functions.ts'
import { isTrue, show, sortedEntries } from './show.ts'
import type { Branch, Command, Node, Operand, Pipe, Template } from './tree.ts'

export interface Evaluation {
  readonly source: string
  readonly functions: Readonly<Record<string, TemplateFunction>>
  /** What an object is where it lacks a field: undefined is a mistake, else the value that the field has. */
  readonly absent: (object: object, name: string) => { readonly value: null | undefined } | undefined
}

/** Nested ranges multiply; a terminal never gets this much. */
const MAX_OUTPUT_CHARS = 64 * 1024 * 1024

interface Scope {
  readonly evaluation: Evaluation
  readonly out: { text: string }
  readonly dot: unknown
  /** The innermost last; `$` is the first. */
  readonly variables: Map<string, { value: unknown }>
}

type Jump = 'break' | 'continue' | undefined

/** Fills a template with a value. Errors: `cli.usage`, with the place in the template. */
export function evaluate(template: Template, value: unknown, evaluation: Evaluation): string {
  const out = { text: '' }
  runNodes(template.nodes, { evaluation, out, dot: value, variables: new Map([['$', { value }]]) })
  return out.text
}

function runNodes(nodes: readonly Node[], outer: Scope): Jump {
  const scope = { ...outer, variables: new Map(outer.variables) }
  for (const node of nodes) {
    const jump = runNode(node, scope)
    if (jump !== undefined) return jump
  }
  return undefined
}

function runNode(node: Node, scope: Scope): Jump {
  switch (node.kind) {
    case 'text':
      write(scope, node.text, 0)
      return undefined
    case 'action': {
      const value = pipeValue(node.pipe, scope)
      assign(node.pipe, value, scope)
      if (node.pipe.variables.length === 0) write(scope, show(value), node.pipe.at)
      return undefined
    }
    case 'break':
    case 'continue':
      return node.kind
    case 'range':
      return runRange(node, scope)
    case 'if':
    case 'with': {
      const value = pipeValue(node.pipe, scope)
      const inner = { ...scope, variables: new Map(scope.variables) }
      assign(node.pipe, value, inner)
      if (!isTrue(value)) return runNodes(node.otherwise, inner)
      return runNodes(node.body, node.kind === 'with' ? { ...inner, dot: value } : inner)
    }
  }
}

function assign(pipe: Pipe, value: unknown, scope: Scope): void {
  for (const name of pipe.variables) {
    const known = scope.variables.get(name)
    if (pipe.isAssignment && known !== undefined) known.value = value
    else scope.variables.set(name, { value })
  }
}

function runRange(node: Branch, scope: Scope): Jump {
  const items = rangeItems(pipeValue(node.pipe, scope), node, scope)
  if (items.length === 0) return runNodes(node.otherwise, scope)
  for (const [key, item] of items) {
    const inner = { ...scope, dot: item, variables: new Map(scope.variables) }
    const [first, second] = node.pipe.variables
    if (second !== undefined) {
      inner.variables.set(first ?? '', { value: key })
      inner.variables.set(second, { value: item })
    } else if (first !== undefined) inner.variables.set(first, { value: item })
    if (runNodes(node.body, inner) === 'break') break
  }
  return undefined
}

/** The most that `range 100` may count. */
const MAX_COUNT = 1_000_000

function rangeItems(value: unknown, node: Branch, scope: Scope): readonly (readonly [unknown, unknown])[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.map((item, i) => [i, item] as const)
  if (typeof value === 'object') return sortedEntries(value)
  if (typeof value === 'number' && Number.isInteger(value) && value <= MAX_COUNT)
    return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i] as const)
  throw templateFailure(scope.evaluation.source, node.pipe.at, `range cannot go over ${JSON.stringify(value)}`)
}

function pipeValue(pipe: Pipe, scope: Scope): unknown {
  let last: readonly unknown[] = []
  for (const command of pipe.commands) last = [commandValue(command, last, scope)]
  return last[0]
}

function commandValue(command: Command, piped: readonly unknown[], scope: Scope): unknown {
  const [first, ...rest] = command.words
  if (first?.kind === 'function' && (first.name === 'and' || first.name === 'or'))
    return shortCircuit(first.name, rest, piped, scope, first.at)
  const values = () => [...rest.map((word) => operandValue(word, scope)), ...piped]
  if (first?.kind === 'function') return call(scope, first.at, scope.evaluation.functions[first.name], values())
  if (first?.kind === 'fields') return fieldsValue(first, scope, values)
  if (first === undefined || rest.length > 0 || piped.length > 0)
    throw templateFailure(scope.evaluation.source, command.at, 'this is not a function, and takes no arguments')
  return operandValue(first, scope)
}

function shortCircuit(
  name: 'and' | 'or',
  words: readonly Operand[],
  piped: readonly unknown[],
  scope: Scope,
  at: number,
): unknown {
  if (words.length + piped.length === 0) throw templateFailure(scope.evaluation.source, at, `${name} takes arguments`)
  let value: unknown
  for (const read of [...words.map((word) => () => operandValue(word, scope)), ...piped.map((one) => () => one)]) {
    value = read()
    if (isTrue(value) === (name === 'or')) return value
  }
  return value
}

function operandValue(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case 'dot':
      return scope.dot
    case 'literal':
      return operand.value
    case 'variable':
      return scope.variables.get(operand.name)?.value
    case 'pipe':
      return pipeValue(operand.pipe, scope)
    case 'function':
      return commandValue({ at: operand.at, words: [operand] }, [], scope)
    case 'fields':
      return fieldsValue(operand, scope, () => [])
  }
}

function fieldsValue(operand: Operand & { readonly kind: 'fields' }, scope: Scope, values: () => readonly unknown[]): unknown {
  const start = operand.from === undefined ? scope.dot : operandValue(operand.from, scope)
  const last = operand.names.length - 1
  return operand.names.reduce<unknown>((value, name, i) => {
    const found = fieldOf(value, name, operand.at, scope)
    const args = i === last ? values() : []
    if (typeof found === 'function') return call(scope, operand.at, found as TemplateFunction, args)
    if (args.length > 0)
      throw templateFailure(scope.evaluation.source, operand.at, `.${name} is not a function, and takes no arguments`)
    return found
  }, start)
}

function fieldOf(value: unknown, name: string, at: number, { evaluation }: Scope): unknown {
  const fail = (message: string, hint?: string) => templateFailure(evaluation.source, at, message, hint)
  if (typeof value !== 'object' || value === null)
    throw fail(
      `there is no field ${name} in ${value === undefined || value === null ? 'what is not there' : show(value)}`,
      'Ask first: {{if .Field}}{{.Field.Name}}{{end}}.',
    )
  if (Object.hasOwn(value, name)) return (value as Readonly<Record<string, unknown>>)[name]
  const absent = evaluation.absent(value, name)
  if (absent !== undefined) return absent.value
  if (Array.isArray(value))
    throw fail(`there is no field ${name} in a list`, 'Take one of it, {{index .List 0}}, or all, {{range .List}}...{{end}}.')
  const known = Object.keys(value)
  const guess = nearest(name, known)
  throw fail(
    `there is no field ${name}`,
    `${guess === undefined ? '' : `Did you mean ${guess}? `}There are: ${known.join(', ')}.`,
  )
}

function call(scope: Scope, at: number, called: TemplateFunction | undefined, values: readonly unknown[]): unknown {
  try {
    return called?.(...values)
  } catch (error) {
    if (error instanceof WrongArguments) throw templateFailure(scope.evaluation.source, at, error.message)
    throw error
  }
}

function write(scope: Scope, text: string, at: number): void {
  if (scope.out.text.length + text.length > MAX_OUTPUT_CHARS)
    throw templateFailure(scope.evaluation.source, at, `it gives more than ${MAX_OUTPUT_CHARS} characters`)
  scope.out.text += text
}
