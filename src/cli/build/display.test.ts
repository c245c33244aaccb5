import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError, virtualClock } from '#base'

import { painter, widthOf } from '../output/colour.ts'
import type { Sink } from '../output/terminal.ts'
import { cleanLine } from './clean-line.ts'
import { buildDisplay, type ProgressMode } from './display.ts'
import { failureText, findingsText, warningsText } from './failure.ts'
import { frame } from './frame.ts'
import { plainLines } from './plain.ts'
import { afterNews, newBuild, type BuildNews, type BuildView } from './view.ts'

const PLAIN = painter(false)
const DOCKERFILE = { path: 'Dockerfile', shown: 'Dockerfile', text: 'FROM base\nRUN one \\\n  && two\nCOPY a b\n' }

const started = (number: number, text = `RUN step ${number}`): BuildNews => ({
  kind: 'step-started',
  number,
  total: 3,
  text,
  place: { file: 'Dockerfile', line: number },
})
const output = (number: number, text: string): BuildNews => ({ kind: 'output', number, stream: 'stdout', text })
const done = (number: number, isCached = false): BuildNews => ({ kind: 'step-done', number, isCached, durationMs: 1200 })
const planned: BuildNews = {
  kind: 'planned',
  stepCount: 3,
  fileCount: 2,
  stages: [
    { name: 'web', firstStep: 1, lastStep: 2 },
    { name: '1', firstStep: 3, lastStep: 3 },
  ],
}

const after = (...news: readonly BuildNews[]) => news.reduce((build, one, at) => afterNews(build, one, at * 100), newBuild('', 0))

function plain(...news: readonly BuildNews[]): readonly string[] {
  const lines = plainLines()
  let build = newBuild('', 0)
  return news.flatMap((one, at) => {
    build = afterNews(build, one, at * 100)
    return lines.take(build, one, at * 100)
  })
}

test('a log tells each step by its number, its stage and what it wrote', () => {
  const lines = plain(
    { kind: 'context', fileCount: 2, wantedCount: 1, sentBytes: 1200, isDone: true },
    planned,
    started(1, 'FROM base'),
    done(1, true),
    started(2, 'RUN one \\\n  && two'),
    { kind: 'step-running', number: 2 },
    output(2, 'hel'),
    output(2, 'lo\nsecond\n'),
    done(2),
    { kind: 'image', id: 'sha256:1' },
    { kind: 'tagged', id: 'sha256:1', reference: 'app:1' },
  )
  assert.deepEqual(lines, [
    '#1 [internal] load build context',
    '#1 transferring context: 2 files, 1 changed, 1.2kB done',
    '#1 DONE 0.0s',
    '',
    '#2 [web 1/2] FROM base',
    '#2 CACHED',
    '',
    '#3 [web 2/2] RUN one && two',
    '#3 0.200 hello',
    '#3 0.200 second',
    '#3 DONE 1.2s',
    '',
    '#4 exporting to image'.replace('#4 ', '#4 [internal] '),
    '#4 writing image sha256:1 done',
    '#4 naming to app:1 done',
  ])
})

test('two steps at once are told apart, and a line without its end is not lost', () => {
  const lines = plain(planned, started(1), started(3), output(1, 'a\n'), output(3, 'b'), output(1, 'c\n'), done(3), done(1))
  assert.deepEqual(lines, [
    ...['#1 [web 1/2] RUN step 1', '#1 0.200 a', '#1 0.400 c', ''],
    ...['#2 [stage-1 1/1] RUN step 3', '#2 0.400 b', '#2 DONE 1.2s', ''],
    ...['#1 [web 1/2] RUN step 1', '#1 DONE 1.2s'],
  ])
})

const WORDS = fc.string({
  unit: fc.constantFrom('a', ' ', '\n', '\r', '\t', '\u001b[31m', '\u001b[2K', '\u0007', 'ä', '漢', '\0'),
})
const NEWS: fc.Arbitrary<BuildNews> = fc.oneof(
  fc.constant(planned),
  fc.nat(4).chain((number) => WORDS.map((text) => started(number, text))),
  fc.nat(4).chain((number) => WORDS.map((text) => output(number, text))),
  fc.nat(4).map((number) => ({ kind: 'step-running', number }) as const),
  fc.nat(4).chain((number) => fc.boolean().map((isCached) => done(number, isCached))),
  fc.record({
    kind: fc.constant('context' as const),
    fileCount: fc.nat(9),
    wantedCount: fc.nat(9),
    sentBytes: fc.nat(),
    isDone: fc.boolean(),
  }),
  fc.constant({ kind: 'failed' } as const),
  WORDS.map((place) => ({ kind: 'moving', what: 'push', place }) as const),
  WORDS.map((place) => ({ kind: 'moved', what: 'push', place, digest: null }) as const),
  WORDS.map((reference) => ({ kind: 'tagged', id: 'sha256:1', reference }) as const),
  fc.constant({ kind: 'image', id: 'sha256:1' } as const),
)

test('whatever happens, a drawing fits the terminal and moves nothing on it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(NEWS, { maxLength: 30 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 20, max: 120 }),
      fc.integer({ min: 4, max: 40 }),
      fc.boolean(),
      (each, columns, rows, isFinal) => {
        const builds = each.map((news, at) =>
          news.reduce((build, one, step) => afterNews(build, one, step * 40), newBuild(at === 0 ? '' : `b${at}`, 0)),
        )
        const lines = frame(builds, { nowMs: 10_000, columns, rows, isFinal, paint: PLAIN })
        for (const line of lines) {
          assert.ok(widthOf(line) <= columns, JSON.stringify(line))
          // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
          assert.doesNotMatch(line, /[\u0000-\u001f\u007f]/)
        }
        assert.ok(isFinal || lines.length <= Math.max(2, rows - 1), `${lines.length} lines on ${rows} rows`)
      },
    ),
  )
})

test('a log loses no line of output, and says every one once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.string({ unit: fc.constantFrom('x', 'y', '\n') }))),
      (chunks) => {
        const news = chunks.map(([number, text]) => output(number, text))
        const lines = plain(planned, started(1), started(2), started(3), ...news, done(1), done(2), done(3))
        for (const number of [1, 2, 3]) {
          const written = chunks.flatMap(([of, text]) => (of === number ? [text] : [])).join('')
          const expected = written.replace(/\n$/, '').split('\n')
          const label = `RUN step ${number}`
          const own = lines.find((line) => line.endsWith(label))?.split(' ')[0]
          const said = lines
            .filter((line) => line.startsWith(`${own} `) && /^#\d+ \d+\.\d{3}/.test(line))
            .map((line) => line.replace(/^#\d+ \d+\.\d{3} ?/, ''))
          assert.deepEqual(said, written === '' ? [] : expected)
        }
      },
    ),
  )
})

test('a line that was drawn over shows its last drawing, without colours', () => {
  assert.equal(cleanLine('10%\r50%\r\u001b[32mdone\u001b[0m\r'), 'done')
  assert.equal(cleanLine('a\tb\u0007'), 'a        b\\x07')
})

test('a small screen gives up finished steps before running ones', () => {
  const build = after(planned, started(1), done(1), started(2), done(2), started(3), { kind: 'step-running', number: 3 })
  const lines = frame([build], { nowMs: 5000, columns: 60, rows: 4, isFinal: false, paint: PLAIN })
  assert.equal(lines.length, 3)
  assert.match(lines[1] ?? '', /2 more/)
  assert.match(lines[2] ?? '', /RUN step 3/)
})

function failed(...news: readonly BuildNews[]): BuildView {
  return after(planned, ...news, { kind: 'failed' })
}

test('a failure shows the output of its step and every line of its instruction', () => {
  const build = failed(
    started(1),
    done(1),
    started(2, 'RUN one && two'),
    { kind: 'step-running', number: 2 },
    output(2, 'no such thing\n'),
  )
  const error = new GloveboxError('build.run_failed', 'invalid', 'Dockerfile:2: it ended with 1')
  assert.equal(
    failureText(error, build, DOCKERFILE, PLAIN),
    [
      ...['------', ' > [web 2/2] RUN one && two:', '0.100 no such thing', '------', 'Dockerfile:2', '--------------------'],
      ...['  1 |     FROM base', '  2 | >>> RUN one \\', '  3 | >>>   && two', '  4 |     COPY a b', '--------------------', ''],
    ].join('\n'),
  )
})

test('a failure before any step has no more than its message', () => {
  const error = new GloveboxError('client.context_changed', 'conflict', '/app/x changed')
  assert.equal(failureText(error, failed(), DOCKERFILE, PLAIN), '')
})

test('warnings and findings name the check and the line', () => {
  const warnings = [{ check: 'MaintainerDeprecated', place: { file: 'Dockerfile', line: 4 }, message: 'use a label' }]
  assert.match(warningsText(warnings, PLAIN), /1 warning found:\n - MaintainerDeprecated: use a label \(line 4\)/)
  assert.match(findingsText(warnings, DOCKERFILE, PLAIN), /4 \| >>> COPY a b/)
  assert.match(findingsText([], DOCKERFILE, PLAIN), /no warnings/)
})

function display(mode: ProgressMode, isTty: boolean) {
  let text = ''
  const sink: Sink = { write: (chunk) => Boolean((text += String(chunk))), isTty, columns: 40, rows: 10, hasColour: false }
  const clock = virtualClock()
  return { clock, shown: buildDisplay({ sink, paint: PLAIN, clock, mode }), text: () => text }
}

test('on a terminal the running time goes on by itself, and the last drawing stays', async () => {
  const { clock, shown, text } = display('auto', true)
  const track = shown.add('')
  track.tell(started(1))
  await clock.advance(2000)
  assert.match(text(), /RUN step 1 +1\.[89]s/)
  track.tell(done(1))
  shown[Symbol.dispose]()
  assert.match(text(), /FINISHED\n => \[1\/3\] RUN step 1 +1\.2s\n$/)
  const length = text().length
  await clock.advance(1000)
  assert.equal(text().length, length)
})

test('where there is no terminal a log is written, or nothing, or JSON', () => {
  for (const [mode, expected] of [
    ['auto', /^#1 \[1\/3\] RUN step 1\n#1 CACHED\n$/],
    ['quiet', /^$/],
    ['rawjson', /^\{"time":.*"kind":"step-started".*\}\n\{.*"kind":"step-done".*\}\n$/],
  ] as const) {
    const { shown, text } = display(mode, false)
    const track = shown.add('')
    track.tell(started(1))
    track.tell(done(1, true))
    shown[Symbol.dispose]()
    assert.match(text(), expected)
  }
})
