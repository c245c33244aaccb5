import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { checkRoute } from './check-route.ts'
import { proxyConfig } from './config.ts'
import type { Route } from './port.ts'
import { anyHttpRule, OPTIONS, words } from '../../../test/support/router-rules.ts'
import { isWord, MAX_WORDS, renderSections } from './words.ts'

const BACKEND = { id: 'web-1', address: '10.0.0.2', port: 80, state: 'ready' } as const

/** Lines that a route adds, each as the words that HAProxy would read. */
function linesOf(route: Route): readonly (readonly string[])[] {
  return proxyConfig([route], OPTIONS).text.split('\n').map(words)
}

describe('the words of the configuration', () => {
  it('come back as they were, one line for a line, whatever is in them', () => {
    const anyWord = fc.string({ unit: 'grapheme' }).filter(isWord)
    fc.assert(
      fc.property(fc.array(anyWord, { minLength: 1, maxLength: MAX_WORDS }), (line) => {
        const text = renderSections([{ kind: 'backend', name: 'b', lines: [line] }])
        assert.deepEqual(text.slice(0, -1).split('\n').map(words), [['backend', 'b'], line])
      }),
    )
  })

  it('are refused when they cannot be written', () => {
    for (const word of ['', 'a\0', 'a\r', '\x1b[0m', '\ud800']) {
      assert.throws(() => renderSections([{ kind: 'global', name: null, lines: [[word]] }]), /is not a word/)
    }
  })
})

describe('any rule that is accepted', () => {
  it('adds no line and no word that another value would not add', () => {
    let accepted = 0
    const calm = { text: 'x', name: 'X', number: 7 }
    fc.assert(
      fc.property(anyHttpRule(fc.string({ unit: 'grapheme' })), (rule) => {
        const route: Route = { id: 'shop/web', hostIp: '', hostPort: 80, mode: 'http', backends: [BACKEND], rule }
        try {
          checkRoute(route, [])
        } catch {
          return
        }
        accepted += 1
        // The same rule with harmless words in place of what people write.
        const replace = (set: Readonly<Record<string, string>>) =>
          Object.fromEntries(Object.keys(set).map((_, index) => [`${calm.name}-${index}`, calm.text]))
        const plain: Route = {
          ...route,
          rule: {
            ...rule,
            requestHeaders: { set: replace(rule.requestHeaders.set), remove: rule.requestHeaders.remove.map(() => calm.name) },
            responseHeaders: { set: replace(rule.responseHeaders.set), remove: rule.responseHeaders.remove.map(() => calm.name) },
            unavailableText: calm.text,
          },
        }
        assert.deepEqual(
          linesOf(route)
            .map((line) => [line[0], line.length])
            .slice(2),
          linesOf(plain)
            .map((line) => [line[0], line.length])
            .slice(2),
        )
      }),
      { numRuns: 300 },
    )
    assert.ok(accepted > 30, `only ${accepted} of 300 were accepted`)
  })
})
