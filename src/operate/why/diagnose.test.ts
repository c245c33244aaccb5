import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { diagnose } from './diagnose.ts'
import type { TaskFacts, WhyFacts } from './facts.ts'
import { alone, db, dbTask, healthy, NOW_MS, web, webContainer, webRoute, webTask } from './facts-fixture.ts'
import { anyFacts } from './random-facts-fixture.ts'
import { whyReport } from './report.ts'

const codes = (facts: Partial<WhyFacts>) => diagnose({ ...healthy, ...facts }).map(({ code }) => code)

test('facts without fault give nothing, and the report says so', () => {
  assert.deepEqual(diagnose(healthy), [])
  const report = whyReport(healthy, null)
  assert.equal(report.isWell, true)
  assert.equal(report.summary, 'Nothing is wrong: 2 services with 2 tasks, 1 other container and 1 route.')
  assert.equal(whyReport(healthy, 'shop').summary, 'shop is as wanted: 2 services, 2 of 2 tasks ready.')
})

test('whatever the facts, diagnoses come, are the same again, and are whole sentences with something to go by', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const found = diagnose(facts)
      assert.deepEqual(diagnose(structuredClone(facts)), found)
      for (const { sentence, evidence, about, code } of found) {
        assert.match(sentence, /\S[\s\S]*[.!?…]$/, code)
        assert.ok(about.length > 0)
        for (const line of evidence) assert.notEqual(line.trim(), '', code)
      }
      const ranks = found.map(({ severity }) => ['failure', 'warning', 'note'].indexOf(severity))
      assert.deepEqual(
        ranks,
        ranks.toSorted((a, b) => a - b),
      )
    }),
    { numRuns: 300 },
  )
})

test('whatever the facts, everything that has a diagnosis is found by its name', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      for (const service of facts.services) {
        const report = whyReport(facts, service.id)
        assert.equal(report.isWell, report.diagnoses.length === 0)
      }
    }),
    { numRuns: 100 },
  )
})

const fallen = (change: Partial<TaskFacts>): TaskFacts => ({
  ...webTask,
  id: 'task-web-0',
  state: 'failed',
  desiredState: 'shutdown',
  isEnded: true,
  isReady: false,
  containerId: null,
  sinceMs: NOW_MS - 2000,
  createdAtMs: NOW_MS - 90_000,
  startedAtMs: NOW_MS - 5000,
  exitCode: 3,
  ...change,
})
const waiting: TaskFacts = {
  ...webTask,
  state: 'ready',
  desiredState: 'ready',
  isReady: false,
  failures: 4,
  startAfterMs: NOW_MS + 3000,
  containerId: null,
}
const down = { ...web, readyTasks: 0, runningTasks: 0 }

test('a row of ends is told with its exit code, its last lines and when it is tried again', () => {
  const container = {
    ...webContainer,
    taskId: 'task-web-0',
    state: 'exited' as const,
    exitCode: 3,
    lastLines: ['cannot read config', 'giving up'],
  }
  const facts = { ...healthy, services: [down, db], tasks: [waiting, fallen({}), dbTask], containers: [container], routes: [] }
  const [first, ...others] = diagnose(facts)
  assert.deepEqual(others, [])
  assert.equal(first?.sentence, 'shop/web.1 ended with exit code 3 (4 times in a row).')
  assert.equal(first.code, 'end.exit_code')
  assert.equal(first.severity, 'failure')
  assert.deepEqual(first.evidence, [
    'exit code 3 after 3 s',
    'log: cannot read config',
    'log: giving up',
    '4 ends in a row; it is started again in 3 s',
  ])
})

test('what waits for another says what the other lacks, and is told after it', () => {
  const killed = fallen({ id: 'task-db-0', serviceId: db.id, name: 'db.1', isOomKilled: true, exitCode: 137 })
  const dbWaits = { ...waiting, id: 'task-db-1', serviceId: db.id, name: 'db.1' }
  const web2 = { ...down, waits: [{ reason: 'waits for service db to be healthy', isHopeless: false, taskId: null }] }
  const facts = {
    ...healthy,
    services: [web2, { ...db, readyTasks: 0 }],
    tasks: [killed, dbWaits],
    containers: [],
    routes: [{ ...webRoute, backends: [] }],
  }
  const found = diagnose(facts)
  assert.deepEqual(
    found.map(({ code }) => code),
    ['end.out_of_memory', 'route.no_backend', 'wait.dependency'],
  )
  assert.match(found[2]?.evidence.at(-1) ?? '', /^it comes from this: shop\/db\.1 was killed because it needed more memory/)
  assert.deepEqual(
    whyReport(facts, 'shop/web').diagnoses.map(({ code }) => code),
    ['end.out_of_memory', 'route.no_backend', 'wait.dependency'],
  )
  assert.deepEqual(
    whyReport(facts, 'shop/db').diagnoses.map(({ code }) => code),
    ['end.out_of_memory'],
  )
})

test('tasks of one service with the same trouble are one diagnosis', () => {
  const refusals = [
    { filter: 'cpu', nodes: 1, reason: '64 CPUs needed: of 1 node host1 has the most free, 2', advice: 'reserve less CPU' },
  ]
  const pending = (n: number): TaskFacts => ({
    ...webTask,
    id: `t${n}`,
    name: `web.${n}`,
    seat: `slot ${n}`,
    state: 'pending',
    isReady: false,
    nodeId: null,
    containerId: null,
    refusals,
  })
  const [first, ...others] = diagnose({
    ...healthy,
    services: [down, db],
    tasks: [pending(2), pending(1), pending(3), dbTask],
    routes: [],
  })
  assert.deepEqual(others, [])
  assert.equal(first?.code, 'place.cpu')
  assert.match(first.sentence, /^shop\/web\.1 has no node: 64 CPUs needed/)
  assert.equal(first.evidence.at(-1), 'the same of shop/web.2 and shop/web.3')
  assert.equal(first.advice, 'Reserve less CPU.')
})

test('one that runs well again after failures is not told of', () => {
  assert.deepEqual(codes({ tasks: [{ ...webTask, failures: 3 }, fallen({}), dbTask] }), [])
  const young = { ...webTask, failures: 3, startedAtMs: NOW_MS - 2000 }
  assert.deepEqual(codes({ tasks: [young, fallen({}), dbTask] }), ['end.exit_code'])
})

test('a container that ended by itself is worth a note, and one that should be there is a failure', () => {
  const ended = { ...alone, state: 'exited' as const, exitCode: 1, finishedAtMs: NOW_MS - 1000 }
  assert.equal(whyReport({ ...healthy, containers: [ended] }, null).isWell, true)
  assert.equal(whyReport({ ...healthy, containers: [ended] }, 'tool').isWell, false)
  assert.equal(whyReport({ ...healthy, containers: [{ ...ended, restartPolicy: 'on-failure' }] }, null).isWell, false)
  assert.deepEqual(codes({ containers: [{ ...ended, isStoppedByHand: true }] }), [])
  assert.deepEqual(codes({ containers: [{ ...ended, exitCode: 0 }] }), [])
})

test('what is over for long is only told to who asks for it', () => {
  const ended = { ...alone, state: 'exited' as const, exitCode: 1, finishedAtMs: NOW_MS - 2 * 3_600_000 }
  assert.deepEqual(whyReport({ ...healthy, containers: [ended] }, null).diagnoses, [])
  assert.equal(whyReport({ ...healthy, containers: [ended] }, 'tool').diagnoses.length, 1)
})

test('a container that takes long to be healthy is told while its checks fail', () => {
  const health = { status: 'starting' as const, failingStreak: 0, test: 'ask', last: { exitCode: 1, output: 'not yet' } }
  assert.deepEqual(codes({ containers: [{ ...alone, health }] }), ['health.starting'])
  assert.deepEqual(codes({ containers: [{ ...alone, health: { ...health, last: null } }] }), [])
  assert.deepEqual(codes({ containers: [{ ...alone, health, startedAtMs: NOW_MS - 1000 }] }), [])
})

test('a name that nobody has is told with the nearest one', () => {
  const asked = {
    containerId: alone.id,
    name: 'dbb',
    kind: 'unknown' as const,
    times: 4,
    lastAtMs: NOW_MS - 2000,
    known: ['db', 'web'],
  }
  const [found] = diagnose({ ...healthy, names: [asked] })
  assert.equal(found?.sentence, 'tool asks for dbb, and nobody has that name: db is near.')
  assert.deepEqual(codes({ names: [{ ...asked, known: ['dbb'] }] }), [])
  assert.deepEqual(codes({ names: [{ ...asked, lastAtMs: NOW_MS - 3_600_000 }] }), [])
})

test('names of all kinds lead to what they are, and others are told what is near', () => {
  const named = (name: string) => whyReport(healthy, name).subjects.map(({ kind, id }) => `${kind} ${id}`)
  assert.deepEqual(named('shop'), ['application shop'])
  for (const name of ['shop/web', 'shop_web', 'web', 'svc-web']) assert.deepEqual(named(name), ['service svc-web'], name)
  for (const name of ['shop/web.1', 'shop_web.1', 'task-web']) assert.deepEqual(named(name), ['task task-web-1'], name)
  for (const name of ['shop-web-1', 'container-web-1']) assert.deepEqual(named(name), ['container container-web-1'], name)
  for (const name of ['8080', ':8080', 'shop.example', 'shop.example/api', 'shop.example:8080/api', '/api'])
    assert.deepEqual(named(name), ['route shop_web/8080'], name)
  assert.deepEqual(named('host1'), ['node node-1'])
  assert.deepEqual(named('tool:latest'), ['image tool:latest'])
  assert.deepEqual(named('web:1'), ['image web:1'])
  assert.throws(() => whyReport(healthy, 'x'.repeat(10_000)), { code: 'why.unknown_name' })
  assert.throws(() => whyReport(healthy, 'shopp/web'), { code: 'why.unknown_name', hint: 'Did you mean shop/web?' })
})
