import assert from 'node:assert/strict'
import { test } from 'node:test'

import { baseImages } from './base-images.ts'

const of = (text: string, args: Record<string, string> = {}) => baseImages({ file: 'Dockerfile', text, args })

test('stages, their numbers and scratch are no images of others', () => {
  const text = [
    'FROM debian:bookworm AS build',
    'RUN make',
    'FROM scratch AS empty',
    'FROM build',
    'COPY --from=build /a /a',
    'COPY --from=0 /b /b',
    'COPY --from=tools:1 /c /c',
    'RUN --mount=type=bind,from=cache:1,target=/m true',
  ].join('\n')
  assert.deepEqual(of(text), ['debian:bookworm', 'tools:1', 'cache:1'])
})

test('arguments before the first FROM choose the base, and the caller chooses them', () => {
  const text = 'ARG SUITE=bookworm\nARG BASE=debian:${SUITE}\nFROM ${BASE}\nARG SUITE\nRUN true\n'
  assert.deepEqual(of(text), ['debian:bookworm'])
  assert.deepEqual(of(text, { SUITE: 'trixie' }), ['debian:trixie'])
  assert.deepEqual(of(text, { BASE: 'mine:1' }), ['mine:1'])
})
