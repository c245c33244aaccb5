import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parsePlatform } from '#oci/image'

import { annotationsOn, refuseLostAnnotations, type Annotation } from './annotations.ts'
import { GZIP, STORED } from './output.ts'

const annotation = (level: Annotation['level'], name: string, platform?: string): Annotation => ({
  level,
  name,
  value: `${level} ${name}`,
  platform: platform === undefined ? undefined : parsePlatform(platform),
})

test('annotations are told apart by level and platform', () => {
  const all = [annotation('manifest', 'a'), annotation('manifest', 'b', 'linux/arm64'), annotation('index', 'c')]
  assert.deepEqual(annotationsOn(all, 'manifest', parsePlatform('linux/amd64')), { a: 'manifest a' })
  assert.deepEqual(Object.keys(annotationsOn(all, 'manifest', parsePlatform('linux/arm64'))), ['a', 'b'])
  assert.deepEqual(annotationsOn(all, 'index'), { c: 'index c' })
})

test('what no output carries is refused', () => {
  const layout = { kind: 'oci', form: GZIP } as const
  const pushed = { kind: 'image', push: 'tags', form: GZIP } as const
  const refused = (
    level: Annotation['level'],
    outputs: Parameters<typeof refuseLostAnnotations>[1]['outputs'],
    hasIndex: boolean,
  ) =>
    assert.throws(() => refuseLostAnnotations([annotation(level, 'a')], { outputs, hasIndex }), { code: 'build.output_invalid' })
  refused('manifest', [STORED], true)
  refused('index', [layout], false)
  refused('index-descriptor', [pushed], true)
  refuseLostAnnotations([], { outputs: [STORED], hasIndex: false })
  refuseLostAnnotations([annotation('manifest', 'a')], { outputs: [pushed], hasIndex: false })
  refuseLostAnnotations([annotation('index', 'a'), annotation('index-descriptor', 'a')], { outputs: [layout], hasIndex: true })
})
