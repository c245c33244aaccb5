import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import axe from 'axe-core'

import type { BrowserPage } from '../support/browser.ts'
import { openHouse, type House } from './house.ts'

let house: House
let admin: BrowserPage

before(async () => {
  house = await openHouse()
  admin = await house.signedIn('admin')
})
after(async () => await house[Symbol.asyncDispose]())

/** What axe finds, as `rule: the elements`. */
async function violations(page: BrowserPage): Promise<readonly string[]> {
  await page.evaluate(`if (window.axe === undefined) { ${axe.source} }; undefined`)
  const run = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((one) => one.id + ': ' + one.nodes.map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary).join(' | ')))`
  return await page.evaluate<readonly string[]>(run)
}

async function visit(page: BrowserPage, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await page.until(`document.querySelector('main h1') && !document.querySelector('main')?.innerText.includes('Loading…')`)
}

test('the page paints within a second, and complains of nothing', async () => {
  const page = await house.signedIn('viewer')
  const paint = await page.until<number>(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime`)
  assert.ok(paint < 1000, `first paint after ${Math.round(paint)} ms`)
  assert.deepEqual(page.complaints, [])
})

test('a container that starts is on the page within a second', async () => {
  await visit(admin, '#/containers')
  await admin.until(`document.querySelector('.table')?.innerText.includes('clock')`)
  const watching = admin.evaluate<number>(`new Promise((resolve) => {
    const look = () => (document.querySelector('.table').innerText.includes('late-comer') ? resolve(Date.now()) : requestAnimationFrame(look))
    look()
  })`)
  const ended = await house.glovebox('create', '--name', 'late-comer', 'house:1', 'true')
  assert.equal(ended.code, 0, ended.stderr)
  const { stdout } = await house.glovebox('inspect', '--format', '{{.Created}}', 'late-comer')
  const delayMs = (await watching) - Date.parse(stdout.trim())
  assert.ok(delayMs >= 0 && delayMs < 1000, `${delayMs} ms`)
})

test('every page passes axe, light and dark, wide and narrow', async () => {
  const id = await house.id('sick')
  const pages = ['#/', '#/containers', `#/containers/${id}`, `#/containers/${id}/logs`, `#/containers/${id}/figures`]
  for (const isDark of [false, true]) {
    await admin.setDark(isDark)
    for (const hash of pages) {
      await visit(admin, hash)
      assert.deepEqual(await violations(admin), [], `${hash} ${isDark ? 'dark' : 'light'}`)
    }
  }
  await admin.setDark(false)
  assert.deepEqual(admin.complaints, [])
})
