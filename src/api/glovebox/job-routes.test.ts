import assert from 'node:assert/strict'
import { test } from 'node:test'

import { answerJobs } from './job-routes.ts'
import type { JobsPort } from './ports.ts'

test('each route asks for what it says, in the name of who asks, and others are not known', async () => {
  const asked: string[] = []
  const note =
    (name: string) =>
    async (...args: readonly unknown[]) =>
      await Promise.resolve(void asked.push([name, ...args].join(' ')) as never)
  const names = ['list', 'get', 'history', 'runOf', 'run', 'cancel', 'suspend', 'resume'] as const
  const port = {
    ...Object.fromEntries(names.map((name) => [name, note(name)])),
    output: (job: string, run: string, { follow }: { readonly follow: boolean }) => {
      asked.push(`output ${job} ${run} ${follow}`)
      return (async function* () {})()
    },
  } as unknown as JobsPort
  const ask = async (line: string, body?: unknown, query = '') => {
    const [method = '', ...segments] = line.split(' ')
    return await answerJobs(port, {
      method,
      segments: ['jobs', ...segments],
      query: new URLSearchParams(query),
      body: async () => await Promise.resolve(body),
      raw: (async function* () {})(),
      signal: new AbortController().signal,
      actor: () => ({ by: 'ann', from: 'cli' }),
    })
  }
  for (const line of ['GET', 'GET shop/a', 'GET a runs', 'GET a runs r1', 'POST a runs', 'DELETE a runs r1']) await ask(line)
  await ask('GET a output r1', undefined, 'follow=1')
  await ask('PUT a suspension', { isSuspended: true })
  await ask('PUT a suspension', { isSuspended: false })
  assert.deepEqual(asked, [
    'list',
    'get shop/a',
    'history a',
    'runOf a r1',
    'run a ann',
    'cancel a r1 ann',
    'output a r1 true',
    'suspend a',
    'resume a',
  ])
  for (const body of [null, {}, { isSuspended: 1 }])
    await assert.rejects(ask('PUT a suspension', body), { code: 'api.bad_request' })
  for (const line of ['POST', 'DELETE a', 'GET a nothing', 'PUT a runs r1']) assert.equal(await ask(line), undefined)
})
