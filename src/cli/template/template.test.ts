import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'
import { GloveboxError } from '#base'

import { compileTemplate } from './template.ts'

/** More of them in a long run. */
const RUNS = Number(process.env['GLOVEBOX_FUZZ_INPUTS'] ?? 1500)

const fill = (template: string, value: unknown = {}) => compileTemplate(template).render(value)

test('what Go’s templates give, ours give', () => {
  const value = {
    Name: 'web',
    Empty: '',
    Count: 3,
    List: ['a', 'b'],
    Map: { b: '2', a: '1' },
    Ports: { '80/tcp': [{ HostPort: '8080' }] },
    Label: (key: string) => `<${key}>`,
  }
  const wanted: readonly (readonly [string, string])[] = [
    ['{{.Name}} {{ .Name }}', 'web web'],
    ['a {{- .Name -}} b', 'awebb'],
    ['{{/* nothing */}}x{{- /* nor this */ -}} y', 'xy'],
    ['{{.List}} {{.Map}} {{.Count}}', '[a b] map[a:1 b:2] 3'],
    ['{{json .Map}} {{.Map | json}}', '{"b":"2","a":"1"} {"b":"2","a":"1"}'],
    ['{{range .List}}{{.}},{{end}}', 'a,b,'],
    ['{{range $i, $x := .List}}{{$i}}{{$x}}{{end}}', '0a1b'],
    ['{{range $k, $v := .Map}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 '],
    ['{{range slice .List 2}}{{.}}{{else}}none{{end}}', 'none'],
    ['{{range 3}}{{.}}{{end}}', '012'],
    ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
    ['{{range .List}}{{if eq . "a"}}{{continue}}{{end}}{{.}}{{end}}', 'b'],
    ['{{if .Empty}}yes{{else if gt .Count 2}}many{{else}}no{{end}}', 'many'],
    ['{{with .Name}}{{.}}{{$.Count}}{{end}}{{with .Empty}}x{{else}}-{{end}}', 'web3-'],
    ['{{(index (index .Ports "80/tcp") 0).HostPort}}', '8080'],
    ['{{index .Map "zz"}}|{{index .List 1}}', '|b'],
    ['{{upper .Name}} {{title .Name}} {{lower "ABC"}}', 'WEB Web abc'],
    ['{{join .List "+"}} {{split "a,b" ","}} {{len .List}} {{len .Name}}', 'a+b [a b] 2 3'],
    ['{{println .Name .Count}}', 'web 3\n'],
    ['{{print 1 2 "a" "b" 3}}', '1 2ab3'],
    ['{{printf "%s-%05d-%q-%v-%%" .Name .Count .Name .List}}', 'web-00003-"web"-[a b]-%'],
    ['{{printf "%-6s|%6s|%.2f|%x" "ab" "cd" 1.5 255}}', 'ab    |    cd|1.50|ff'],
    ['{{and .Name .Empty}}|{{or .Empty .Name}}|{{not .Empty}}', '|web|true'],
    ['{{$x := 1}}{{range .List}}{{$x = .}}{{end}}{{$x}}', 'b'],
    ['{{.Label "a.b"}}', '<a.b>'],
    ['{{pad .Name 1 2}}|{{truncate .Name 2}}|{{slice .Name 1 2}}', ' web  |we|e'],
    ['{{eq .Name "db" "web"}} {{ne .Count 3}} {{le 1 2}} {{ge "b" "a"}}', 'true false true true'],
    ['{{"\\u00e9\\n"}}{{`\\n`}}', 'é\n\\n'],
  ]
  for (const [template, text] of wanted) assert.equal(fill(template, value), text, template)
})

test('a mistake is told with its place, and with what there is', () => {
  const wrong = (template: string, value: unknown, message: RegExp, hint?: RegExp) =>
    assert.throws(
      () => fill(template, value),
      (error) =>
        error instanceof GloveboxError &&
        error.code === 'cli.usage' &&
        message.test(error.message) &&
        (hint?.test(error.hint ?? '') ?? true),
      template,
    )
  wrong('{{.Nmae}}', { Name: 1, Id: 2 }, /no field Nmae \(at character 3/, /Did you mean Name\? There are: Name, Id/)
  wrong('ab {{ uper .Name }}', {}, /no function uper \(at character 7/, /Did you mean upper/)
  wrong('{{if .A}}', { A: 1 }, /\{\{if\}\} has no \{\{end\}\} \(at character 1/)
  wrong('{{.A', {}, /no end/)
  wrong('{{end}}', {}, /nothing that it belongs to/)
  wrong('{{"abc}}', {}, /a quoted text has no end/)
  wrong('{{$x}}', {}, /variable \$x was not declared/)
  wrong('{{.A.B.C}}', { A: { B: null } }, /no field C in what is not there/, /Ask first/)
  wrong('{{lower .A}}', { A: 5 }, /lower takes a text, and not a number/)
  wrong('{{template "x"}}', {}, /not supported/)
  wrong('{{.List.Name}}', { List: [] }, /no field Name in a list/, /range/)
  wrong('{{1 | 2}}', {}, /there must be a function/)
  wrong(`${'{{if 1}}'.repeat(200)}${'{{end}}'.repeat(200)}`, {}, /nested more than/)
  wrong(`{{${'('.repeat(200)}1${')'.repeat(200)}}}`, {}, /nested more than/)
  wrong(`{{range 1000}}{{range 1000}}{{range 1000}}${'x'.repeat(1000)}{{end}}{{end}}{{end}}`, {}, /more than/)
})

test('text without actions stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!text.includes('{{'))
      assert.equal(fill(text), text)
    }),
  )
})

test('any value comes out of json as it went in', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(fill('{{json .A}}', { A: value })), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a quoted text means itself', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const quoted = `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
      assert.equal(fill(`{{print ${quoted}}}`), text)
    }),
  )
})

const PIECES =
  '{{ }} {{- -}} . .A .B.C $ $x := = | ( ) , if else end range with break continue 1 -2 0x1f 1e9 "a" `b` \'c\' json printf "%d" len index and or eq lt split join pad /* */ true nil define x\\t'.split(
    ' ',
  )

test('whatever is written, it is filled or refused, and never a crash', () => {
  const words = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...PIECES) }, { weight: 1, arbitrary: fc.string() }), {
    maxLength: 30,
  })
  const value = { A: 'text', B: { C: [1, { D: null }] }, L: (name: string) => name }
  fc.assert(
    fc.property(words, fc.constantFrom('', ' '), (parts, between) => {
      try {
        assert.equal(typeof fill(parts.join(between), value), 'string')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === 'cli.usage', `${parts.join(between)}: ${String(error)}`)
      }
    }),
    { numRuns: RUNS },
  )
})
