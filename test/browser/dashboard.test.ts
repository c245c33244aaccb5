import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import axe from 'axe-core'

import type { BrowserPage } from '../support/browser.ts'
import { openHouse, type House } from './house.ts'
import { manyContainers } from './many-containers.ts'

const PHONE = { width: 390, height: 844 }

let house: House
let admin: BrowserPage
let sick = ''

before(async () => {
  house = await openHouse()
  admin = await house.signedIn('admin')
  sick = await house.id('sick')
})
after(async () => await (house as House | undefined)?.[Symbol.asyncDispose]())

const allPages = () => [
  '#/',
  '#/apps',
  '#/apps/town',
  '#/services/town_shop',
  '#/containers',
  `#/containers/${sick}`,
  `#/containers/${sick}/logs`,
  `#/containers/${sick}/figures`,
  `#/containers/${sick}/terminal`,
  '#/nodes',
  '#/routes',
  '#/graph',
  '#/logs',
  '#/metrics',
  '#/events',
  '#/storage',
  '#/users',
  '#/account',
]

/** What axe finds, as `rule: the elements`. */
async function violations(page: BrowserPage): Promise<readonly string[]> {
  await page.evaluate(`if (window.axe === undefined) { ${axe.source} }; undefined`)
  const words = `violations.map((one) => one.id + ': ' + one.nodes.map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary).join(' | '))`
  return await page.evaluate<readonly string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => ${words})`,
  )
}

async function visit(page: BrowserPage, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await page.until(`document.querySelector('main h1') && !document.querySelector('main')?.innerText.includes('Loading…')`)
}

const textOf = async (page: BrowserPage, selector: string) =>
  await page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)

test('a wrong password is told, and the form works by keyboard alone', async () => {
  const page = await house.browser.page()
  const paints: number[] = []
  // The best of some: a machine that is busy with other tests paints when it comes to it.
  while (paints.length < 5 && !paints.some((ms) => ms < 1000)) {
    await page.goto(`${house.base}/?${paints.length}`)
    await page.until('document.querySelector("input[name=user]")')
    paints.push(await page.until<number>(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime`))
  }
  assert.ok(Math.min(...paints) < 1000, `first paint after ${paints.map(Math.round).join(', ')} ms`)
  assert.deepEqual(await violations(page), [])
  await page.press('Tab')
  await page.type('admin')
  await page.press('Tab')
  await page.type('not this one\n')
  await page.until(`document.querySelector('.refusal')?.innerText.includes('password')`)
})

test('a container that is made is on the page within a second', async () => {
  await visit(admin, '#/containers')
  await admin.until(`document.querySelector('.table')?.innerText.includes('clock')`)
  const watching = admin.evaluate<number>(`new Promise((resolve) => {
    const look = () => (document.querySelector('.table').innerText.includes('late-comer') ? resolve(Date.now()) : setTimeout(look, 5))
    look()
  })`)
  const ended = await house.glovebox('create', '--name', 'late-comer', 'house:1', 'true')
  assert.equal(ended.code, 0, ended.stderr)
  const { stdout } = await house.glovebox('inspect', '--format', '{{.Created}}', 'late-comer')
  const delayMs = (await watching) - Date.parse(stdout.trim())
  assert.ok(delayMs >= 0 && delayMs < 1000, `${delayMs} ms`)
})

test('each role is offered what it may do, and no more', async () => {
  const offered = async (page: BrowserPage) => {
    await visit(page, `#/containers/${sick}`)
    const buttons = await page.evaluate<string>(
      `[...document.querySelectorAll('.page-head button, .tabs a')].map((one) => one.innerText).join(' ')`,
    )
    return { buttons, hasUsers: (await textOf(page, 'nav[aria-label=Sections]')).includes('Users') }
  }
  assert.deepEqual(await offered(await house.signedIn('viewer')), { buttons: 'Anatomy Log Figures', hasUsers: false })
  const operator = await house.signedIn('operator')
  assert.deepEqual(await offered(operator), { buttons: 'Restart Stop Anatomy Log Figures Terminal', hasUsers: false })
  assert.equal((await offered(admin)).hasUsers, true)
})

test('an operator scales a service, and the page shows it', async () => {
  const operator = await house.signedIn('operator')
  await visit(operator, '#/services/town_shop')
  await operator.until(`document.querySelector('.page-head')?.innerText.includes('1 of 1 ready')`)
  await operator.evaluate(`document.querySelector('input[type=number]').select()`)
  await operator.type('2')
  await operator.click('.scale button:not([disabled])')
  await operator.click('dialog .button.main')
  await operator.until(`document.querySelector('.page-head')?.innerText.includes('2 of 2 ready')`)
  await operator.until(`document.querySelector('main').innerText.includes('scaled from 1 to 2')`)
  assert.match(await textOf(operator, 'main'), /by operator \(dashboard\)/)
})

test('what is typed into a terminal goes to a shell in the container, and no inline style is needed for it', async () => {
  await visit(admin, `#/containers/${sick}/terminal`)
  await admin.until(`document.querySelector('.xterm-rows')?.innerText.includes('#')`)
  await admin.type('echo ab$((40+2))cd $(hostname)\n')
  await admin.until(`document.querySelector('.xterm-rows').innerText.includes('ab42cd ${sick.slice(0, 12)}')`)
  await admin.type("printf '\\033[38;2;10;200;30mgreen\\033[0m\\n'\n")
  await admin.until(
    `[...document.querySelectorAll('.xterm-rows span')].some((one) => one.innerText === 'green' && getComputedStyle(one).color !== getComputedStyle(document.body).color)`,
  )
  assert.deepEqual(admin.complaints, [])
})

test('keys lead everywhere: sections, rows, search, help', async () => {
  await visit(admin, '#/')
  await admin.press('g')
  await admin.press('c')
  await admin.until(`document.querySelector('h1')?.innerText === 'Containers'`)
  await admin.evaluate(`document.querySelector('.row-link').focus()`)
  await admin.press('ArrowDown')
  const name = await admin.evaluate<string>('document.activeElement.innerText')
  assert.notEqual(name, '')
  await admin.press('Enter')
  await admin.until(`document.querySelector('h1')?.innerText === ${JSON.stringify(name)}`)
  await admin.press('/')
  await admin.until(`document.activeElement?.getAttribute('role') === 'combobox'`)
  await admin.type('clock')
  await admin.until(`document.querySelector('[role=option]')?.innerText.includes('clock')`)
  assert.deepEqual(await violations(admin), [])
  await admin.press('Enter')
  await admin.until(`document.querySelector('h1')?.innerText === 'clock'`)
  await admin.press('?')
  await admin.until(`document.querySelector('dialog')?.innerText.includes('Find anything')`)
  await admin.press('Escape')
  await admin.until(`document.querySelector('dialog') === null`)
})

test('every page passes axe, light and dark, and complains of nothing', async () => {
  for (const isDark of [false, true]) {
    await admin.setDark(isDark)
    for (const hash of allPages()) {
      await visit(admin, hash)
      assert.deepEqual(await violations(admin), [], `${hash} ${isDark ? 'dark' : 'light'}`)
    }
  }
  await admin.setDark(false)
  assert.deepEqual(admin.complaints, [])
})

test('on a phone no page is wider than the screen, and the menu leads on', async () => {
  const phone = await house.signedIn('admin', PHONE)
  for (const hash of allPages()) {
    await visit(phone, hash)
    const width = await phone.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(width <= PHONE.width, `${hash} is ${width} wide`)
  }
  assert.deepEqual(await violations(phone), [])
  await phone.click('button[aria-label=Menu]')
  await phone.click('.side a[href="#/routes"]')
  await phone.until(
    `document.querySelector('h1')?.innerText === 'Routes' && getComputedStyle(document.querySelector('.side')).display === 'none'`,
  )
})

test('a thousand containers are a few dozen rows, and a change of all of them is drawn within two frames', async () => {
  const page = await house.browser.page()
  await page.send('Page.addScriptToEvaluateOnNewDocument', { source: manyContainers(1000) })
  await page.goto(`${house.base}/#/containers`)
  await page.until(`document.querySelectorAll('.table .body .row').length > 10`)
  const rows = await page.evaluate<number>(`document.querySelectorAll('.table .body .row').length`)
  assert.ok(rows < 80, `${rows} rows`)
  const drawMs = await page.evaluate<number>('changeAll()')
  assert.ok(drawMs < 100, `${drawMs} ms`)
  await page.evaluate('scrollTo(0, 20000)')
  await page.until(`document.querySelector('.table .body')?.innerText.includes('box-0510')`)
})
