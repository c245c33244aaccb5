import { nearest } from '#base'
import { templateFailure } from './failure.ts'
import { type Token, tokenize } from './tokens.ts'
import type { Branch, Command, Node, Operand, Pipe, Template } from './tree.ts'

/** Deeper nesting is nobody's command line, and would exhaust the stack. */
const MAX_DEPTH = 100
/** The longest a template may be: a command line of the kernel's is not much longer. */
const MAX_CHARS = 128 * 1024

interface Reader {
  readonly source: string
  readonly tokens: readonly Token[]
  readonly functions: readonly string[]
  at: number
  depth: number
}

/** Reads a template; functions have to be known by name. Errors: `cli.usage`, with the place. */
export function parseTemplate(source: string, functions: readonly string[]): Template {
  if (source.length > MAX_CHARS) throw templateFailure(source, MAX_CHARS, `a template has at most ${MAX_CHARS} characters`)
  const reader: Reader = { source, tokens: tokenize(source), functions, at: 0, depth: 0 }
  const list = readNodes(reader, ['$'])
  const left = list.end
  if (left !== undefined) throw templateFailure(source, left.at, `{{${left.word}}} has nothing that it belongs to`)
  return { nodes: list.nodes }
}

interface NodeList {
  readonly nodes: readonly Node[]
  /** The `{{end}}` or `{{else ...}}` behind them; absent at the end of the template. The reader stands behind the word. */
  readonly end: { readonly word: 'end' | 'else'; readonly at: number } | undefined
}

function readNodes(reader: Reader, known: readonly string[]): NodeList {
  const nodes: Node[] = []
  // Variables live from their declaration to the end of their block.
  const names = [...known]
  for (;;) {
    const token = reader.tokens[reader.at]
    if (token === undefined) return { nodes, end: undefined }
    reader.at += 1
    if (token.kind === 'text') {
      nodes.push({ kind: 'text', text: token.text })
      continue
    }
    skipSpace(reader)
    const next = reader.tokens[reader.at]
    const word = next?.kind === 'word' ? next.text : ''
    if (next !== undefined && (word === 'end' || word === 'else')) {
      reader.at += 1
      return { nodes, end: { word, at: next.at } }
    }
    nodes.push(readNode(reader, word, token.at, names))
  }
}

function readNode(reader: Reader, word: string, at: number, names: string[]): Node {
  if (word === 'if' || word === 'range' || word === 'with') {
    reader.at += 1
    return deeper(reader, at, () => readBranch(reader, word, at, names))
  }
  if (word === 'break' || word === 'continue') {
    reader.at += 1
    expectClose(reader)
    return { kind: word, at }
  }
  if (['define', 'template', 'block'].includes(word))
    throw templateFailure(reader.source, at, `{{${word}}} is not supported: there is one template only`)
  const pipe = readPipe(reader, names)
  expectClose(reader)
  if (!pipe.isAssignment) names.push(...pipe.variables)
  return { kind: 'action', pipe }
}

function readBranch(reader: Reader, kind: Branch['kind'], at: number, names: readonly string[]): Branch {
  const pipe = readPipe(reader, names)
  if (kind !== 'range' && pipe.variables.length > 1)
    throw templateFailure(reader.source, at, 'two variables belong to a range only')
  expectClose(reader)
  const inner = [...names, ...pipe.variables]
  const body = readNodes(reader, inner)
  if (body.end?.word !== 'else') {
    closeBranch(reader, body, kind, at)
    return { kind, at, pipe, body: body.nodes, otherwise: [] }
  }
  skipSpace(reader)
  const next = reader.tokens[reader.at]
  if (next?.kind === 'word' && next.text === kind && kind !== 'range') {
    // `{{else if}}` shares the end of the whole.
    reader.at += 1
    const chained = deeper(reader, next.at, () => readBranch(reader, kind, next.at, inner))
    return { kind, at, pipe, body: body.nodes, otherwise: [chained] }
  }
  expectClose(reader)
  const otherwise = readNodes(reader, inner)
  if (otherwise.end?.word === 'else') throw templateFailure(reader.source, otherwise.end.at, 'a second {{else}}')
  closeBranch(reader, otherwise, kind, at)
  return { kind, at, pipe, body: body.nodes, otherwise: otherwise.nodes }
}

function closeBranch(reader: Reader, list: NodeList, kind: string, at: number): void {
  if (list.end === undefined) throw templateFailure(reader.source, at, `{{${kind}}} has no {{end}}`)
  expectClose(reader)
}

function readPipe(reader: Reader, names: readonly string[]): Pipe {
  skipSpace(reader)
  const at = placeOf(reader)
  const declared = readVariables(reader, names)
  const commands: Command[] = []
  for (;;) {
    const command = readCommand(reader, names)
    commands.push(command)
    if (!takeMark(reader, '|')) break
  }
  checkPipe(reader, commands)
  return { at, ...declared, commands }
}

/** A value that is no function cannot take what comes through the pipe. */
function checkPipe(reader: Reader, commands: readonly Command[]): void {
  for (const { at, words } of commands.slice(1)) {
    const kind = words[0]?.kind
    if (kind === 'literal' || kind === 'dot') throw templateFailure(reader.source, at, 'behind | there must be a function')
  }
}

function readVariables(reader: Reader, names: readonly string[]): Pick<Pipe, 'variables' | 'isAssignment'> {
  const start = reader.at
  const variables: string[] = []
  while (reader.tokens[reader.at]?.kind === 'variable') {
    const token = reader.tokens[reader.at]
    if (token?.kind === 'variable') variables.push(token.text)
    reader.at += 1
    skipSpace(reader)
    if (variables.length < 2 && takeMark(reader, ',')) {
      skipSpace(reader)
      continue
    }
    break
  }
  skipSpace(reader)
  const token = reader.tokens[reader.at]
  const mark = token?.kind === 'mark' ? token.text : ''
  if (variables.length === 0 || (mark !== ':=' && mark !== '=')) {
    reader.at = start
    return { variables: [], isAssignment: false }
  }
  const unknown = mark === '=' ? variables.find((name) => !names.includes(name)) : undefined
  if (unknown !== undefined) throw templateFailure(reader.source, token?.at ?? 0, `the variable ${unknown} was not declared`)
  reader.at += 1
  return { variables, isAssignment: mark === '=' }
}

function readCommand(reader: Reader, names: readonly string[]): Command {
  skipSpace(reader)
  const at = placeOf(reader)
  const words: Operand[] = []
  for (;;) {
    const word = readOperand(reader, names)
    if (word === undefined) break
    words.push(word)
    if (reader.tokens[reader.at]?.kind !== 'space') break
    skipSpace(reader)
  }
  const [first] = words
  if (first === undefined) throw templateFailure(reader.source, at, 'a value is missing')
  if (words.length > 1 && (first.kind === 'literal' || first.kind === 'dot' || first.kind === 'variable'))
    throw templateFailure(reader.source, first.at, 'this is not a function, and takes no arguments')
  return { at, words }
}

function readOperand(reader: Reader, names: readonly string[]): Operand | undefined {
  const base = readBase(reader, names)
  const fields: string[] = []
  const at = placeOf(reader)
  for (let token = reader.tokens[reader.at]; token?.kind === 'field'; token = reader.tokens[reader.at]) {
    fields.push(token.text)
    reader.at += 1
  }
  if (fields.length === 0) return base
  if (base?.kind === 'literal' || base?.kind === 'dot') throw templateFailure(reader.source, base.at, 'this has no fields')
  if (base?.kind === 'function')
    throw templateFailure(reader.source, base.at, 'put a function in parentheses to take a field of it')
  return { kind: 'fields', at: base?.at ?? at, from: base, names: fields }
}

function readBase(reader: Reader, names: readonly string[]): Operand | undefined {
  const token = reader.tokens[reader.at]
  if (token === undefined) return undefined
  const { at } = token
  if (token.kind === 'literal') {
    reader.at += 1
    return { kind: 'literal', at, value: token.value }
  }
  if (token.kind === 'word') {
    reader.at += 1
    if (reader.functions.includes(token.text)) return { kind: 'function', at, name: token.text }
    throw unknownFunction(reader, token.text, at)
  }
  if (token.kind === 'variable') {
    reader.at += 1
    if (names.includes(token.text)) return { kind: 'variable', at, name: token.text }
    throw templateFailure(reader.source, at, `the variable ${token.text} was not declared`)
  }
  if (takeMark(reader, '.')) return { kind: 'dot', at }
  if (!takeMark(reader, '(')) return undefined
  const pipe = deeper(reader, at, () => readPipe(reader, names))
  skipSpace(reader)
  if (!takeMark(reader, ')')) throw templateFailure(reader.source, placeOf(reader), 'a ) is missing')
  return { kind: 'pipe', at, pipe }
}

function unknownFunction(reader: Reader, name: string, at: number): Error {
  const guess = nearest(name, reader.functions)
  const all = `There are: ${reader.functions.join(', ')}; a field begins with a dot: {{.${name}}}.`
  return templateFailure(
    reader.source,
    at,
    `there is no function ${name}`,
    guess === undefined ? all : `Did you mean ${guess}? ${all}`,
  )
}

function deeper<T>(reader: Reader, at: number, read: () => T): T {
  if (reader.depth >= MAX_DEPTH) throw templateFailure(reader.source, at, `nested more than ${MAX_DEPTH} deep`)
  reader.depth += 1
  const value = read()
  reader.depth -= 1
  return value
}

function expectClose(reader: Reader): void {
  skipSpace(reader)
  const token = reader.tokens[reader.at]
  if (token?.kind !== 'close') throw templateFailure(reader.source, placeOf(reader), 'an action should end here')
  reader.at += 1
}

function takeMark(reader: Reader, text: string): boolean {
  const from = reader.at
  if (text !== '.' && text !== '(') skipSpace(reader)
  const token = reader.tokens[reader.at]
  if (token?.kind === 'mark' && token.text === text) {
    reader.at += 1
    return true
  }
  reader.at = from
  return false
}

function skipSpace(reader: Reader): void {
  while (reader.tokens[reader.at]?.kind === 'space') reader.at += 1
}

function placeOf(reader: Reader): number {
  return reader.tokens[reader.at]?.at ?? reader.source.length
}
