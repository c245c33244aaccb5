/** A template of Go's text/template, in so far as command lines use it. Positions are characters from the start, for messages. */
export interface Template {
  readonly nodes: readonly Node[]
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | Branch
  | { readonly kind: 'break' | 'continue'; readonly at: number }

export interface Branch {
  readonly kind: 'if' | 'range' | 'with'
  readonly at: number
  readonly pipe: Pipe
  readonly body: readonly Node[]
  readonly otherwise: readonly Node[]
}

/** `$x, $y := a | b c`: each command's value is the last argument of the next. */
export interface Pipe {
  readonly at: number
  readonly variables: readonly string[]
  readonly isAssignment: boolean
  readonly commands: readonly Command[]
}

export interface Command {
  readonly at: number
  readonly words: readonly Operand[]
}

export type Operand =
  | { readonly kind: 'dot'; readonly at: number }
  | { readonly kind: 'literal'; readonly at: number; readonly value: unknown }
  | { readonly kind: 'function'; readonly at: number; readonly name: string }
  /** `.a.b`, `$x.a`, `(pipe).a`; `from` is absent for fields of the dot. */
  | { readonly kind: 'fields'; readonly at: number; readonly from: Operand | undefined; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly at: number; readonly name: string }
  | { readonly kind: 'pipe'; readonly at: number; readonly pipe: Pipe }
