import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { systemClock } from '#base'
import type { BuildSpec, WatchRule } from '#cluster/spec'

import { planChanges, type Change } from './plan.ts'
import { rulesOf, type ServiceRule } from './rules.ts'
import { watchTree } from './watch-tree.ts'

const rule = (more: Partial<WatchRule>): WatchRule => ({
  path: '/work/src',
  action: 'sync',
  target: '/app',
  ignore: [],
  include: [],
  isInitialSync: false,
  exec: null,
  ...more,
})
const BUILD = { context: '/work', dockerfile: 'Dockerfile', dockerfileText: null } as unknown as BuildSpec
const rules = (own: readonly WatchRule[], ignoreText = '', build: BuildSpec | undefined = BUILD) =>
  rulesOf({ service: 'web', build, rules: own, ignoreText })
const changed = (path: string): Change => ({ path, isGone: false })
const gone = (path: string): Change => ({ path, isGone: true })

test('a file is sent to where its rule says, and one that is gone is removed there', () => {
  const plan = planChanges(rules([rule({})]), [changed('/work/src/a/b'), gone('/work/src/c'), changed('/work/other')])
  assert.deepEqual(plan, {
    rebuild: null,
    copies: [{ source: '/work/src/a/b', target: '/app/a/b' }],
    removals: ['/app/c'],
    restarts: false,
    execs: [],
  })
})

test('a rule for one file sends it under the name of its target, or into a directory', () => {
  const one = rule({ path: '/work/src/config', target: '/etc/app.conf' })
  assert.equal(planChanges(rules([one]), [changed('/work/src/config')])?.copies[0]?.target, '/etc/app.conf')
  const into = rule({ path: '/work/src/config', target: '/etc/' })
  assert.equal(planChanges(rules([into]), [changed('/work/src/config')])?.copies[0]?.target, '/etc/config')
})

test('what needs a new image is not sent as well', () => {
  const plan = planChanges(rules([rule({}), rule({ path: '/work/package.json', action: 'rebuild', target: null })]), [
    changed('/work/src/a'),
    changed('/work/package.json'),
  ])
  assert.deepEqual([plan?.rebuild, plan?.copies], ['/work/package.json', []])
})

test('without rules the build context means a new image, and the Dockerfile does so in any case', () => {
  assert.equal(planChanges(rules([]), [changed('/work/any')])?.rebuild, '/work/any')
  assert.equal(planChanges(rules([rule({})]), [changed('/work/Dockerfile')])?.rebuild, '/work/Dockerfile')
  assert.equal(
    planChanges(rulesOf({ service: 'web', build: undefined, rules: [], ignoreText: '' }), [changed('/work/any')]),
    undefined,
  )
})

test('what the build ignores, what the rule ignores and what editors leave concern nobody', () => {
  const all = [
    ...rules([rule({ ignore: ['tmp/'] })], 'src/build\n*.log\n!src/keep.log\n'),
    ...rules([rule({ path: '/elsewhere', include: ['*.js'] })]),
  ]
  const paths = [
    '/work/src/build/x',
    '/work/src/tmp/x',
    '/work/src/.git/index',
    '/work/src/.a.swp',
    '/work/src/b~',
    '/elsewhere/a.css',
  ]
  assert.equal(planChanges(all, paths.map(changed)), undefined)
  const plan = planChanges(all, [changed('/work/src/x'), changed('/elsewhere/a.js')])
  assert.deepEqual(
    plan?.copies.map(({ source }) => source),
    ['/work/src/x', '/elsewhere/a.js'],
  )
})

test('restart and exec come with what is sent', () => {
  const exec = { command: ['reload'], user: null, workingDir: null, environment: {}, isPrivileged: false }
  const plan = planChanges(rules([rule({ action: 'sync+exec', exec }), rule({ path: '/work/conf', action: 'sync+restart' })]), [
    changed('/work/src/a'),
    changed('/work/src/b'),
    changed('/work/conf/c'),
  ])
  assert.deepEqual([plan?.restarts, plan?.execs, plan?.copies.length], [true, [exec], 3])
})

const PATHS = fc
  .array(fc.constantFrom('a', 'b', 'c', '.git', 'x~'), { minLength: 1, maxLength: 3 })
  .map((parts) => `/work/src/${parts.join('/')}`)
const CHANGES = fc.array(fc.record({ path: PATHS, isGone: fc.boolean() }), { maxLength: 20 })

test('no path is both sent and removed, none twice, and nothing leaves the target', () => {
  fc.assert(
    fc.property(CHANGES, (changes) => {
      const plan = planChanges(rules([rule({})]), changes)
      const targets = [...(plan?.copies.map(({ target }) => target) ?? []), ...(plan?.removals ?? [])]
      assert.equal(new Set(targets).size, targets.length)
      assert.ok(targets.every((target) => target.startsWith('/app/') && !target.includes('.git') && !target.endsWith('~')))
      // What was told last about a path is what is done.
      for (const { path, isGone } of new Map(changes.map((change) => [change.path, change])).values()) {
        const target = path.replace('/work/src', '/app')
        if (!isGone && targets.includes(target))
          assert.ok(
            plan?.copies.some((copy) => copy.target === target),
            target,
          )
      }
    }),
  )
})

function tree(): { root: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'watch-'))
  mkdirSync(join(root, 'src/deep'), { recursive: true })
  mkdirSync(join(root, 'node_modules/x'), { recursive: true })
  writeFileSync(join(root, 'src/a'), '1')
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

function watching(path: string, canSkip: (below: string) => boolean = () => false) {
  const seen: Change[] = []
  let wake: () => void = () => undefined
  const watch = watchTree({
    path,
    canSkip,
    clock: systemClock(),
    onChanges: (changes) => {
      seen.push(...changes)
      wake()
    },
    onTrouble: (error) => assert.fail(String(error)),
  })
  const until = async (path: string, isGone = false): Promise<void> => {
    while (!seen.some((change) => change.path === path && change.isGone === isGone))
      await new Promise<void>((resolve) => (wake = resolve))
  }
  return { seen, until, [Symbol.dispose]: () => watch[Symbol.dispose]() }
}

test('changes are told wherever they happen, also in directories that came later', { timeout: 20_000 }, async () => {
  using app = tree()
  using watch = watching(app.root)
  writeFileSync(join(app.root, 'src/deep/new'), 'x')
  await watch.until(join(app.root, 'src/deep/new'))
  mkdirSync(join(app.root, 'made/inside'), { recursive: true })
  writeFileSync(join(app.root, 'made/inside/file'), 'x')
  await watch.until(join(app.root, 'made/inside/file'))
  writeFileSync(join(app.root, 'made/inside/second'), 'x')
  await watch.until(join(app.root, 'made/inside/second'))
  renameSync(join(app.root, 'made'), join(app.root, 'moved'))
  await watch.until(join(app.root, 'made'), true)
  await watch.until(join(app.root, 'moved/inside/file'))
  writeFileSync(join(app.root, 'moved/inside/third'), 'x')
  await watch.until(join(app.root, 'moved/inside/third'))
  rmSync(join(app.root, 'src'), { recursive: true })
  await watch.until(join(app.root, 'src'), true)
})

test('directories that concern nobody are not entered', { timeout: 20_000 }, async () => {
  using app = tree()
  using watch = watching(app.root, (below) => below === 'node_modules')
  writeFileSync(join(app.root, 'node_modules/x/y'), 'x')
  writeFileSync(join(app.root, 'src/a'), '22')
  await watch.until(join(app.root, 'src/a'))
  assert.ok(!watch.seen.some(({ path }) => path.includes('node_modules')))
})

test('a file is watched through being replaced, and its neighbours are not told', { timeout: 20_000 }, async () => {
  using app = tree()
  using watch = watching(join(app.root, 'src/a'))
  writeFileSync(join(app.root, 'src/b'), 'x')
  writeFileSync(join(app.root, 'src/a.new'), 'new')
  renameSync(join(app.root, 'src/a.new'), join(app.root, 'src/a'))
  await watch.until(join(app.root, 'src/a'))
  assert.deepEqual(new Set(watch.seen.map(({ path }) => path)), new Set([join(app.root, 'src/a')]))
})

test('a rule says which directories need not be entered', () => {
  const [own] = rules([rule({ ignore: ['tmp'] })], 'src/build\n') as readonly [ServiceRule]
  assert.deepEqual(
    ['', 'a', 'tmp', 'build', '.git', 'a/.git'].map((path) => own.canSkip(path)),
    [false, false, true, true, true, true],
  )
})
