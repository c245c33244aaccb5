import { formatPlatform, type Platform } from '#oci/image'

import { buildError } from '../errors.ts'
import type { BuildOutput } from './output.ts'

/** What an annotation is written on: the document, or the line that names it in the one above. */
export type AnnotationLevel = 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor'

export interface Annotation {
  readonly level: AnnotationLevel
  /** On what is for this platform alone. */
  readonly platform: Platform | undefined
  readonly name: string
  readonly value: string
}

/** Those of one level and platform; the last of a name counts. */
export function annotationsOn(
  annotations: readonly Annotation[],
  level: AnnotationLevel,
  platform?: Platform,
): Readonly<Record<string, string>> {
  const isMeant = (one: Annotation) =>
    one.level === level &&
    (one.platform === undefined || (platform !== undefined && formatPlatform(one.platform) === formatPlatform(platform)))
  return Object.fromEntries(annotations.filter(isMeant).map(({ name, value }) => [name, value]))
}

/** An annotation that no output carries would be lost without a word. Error: `build.output_invalid`. */
export function refuseLostAnnotations(
  annotations: readonly Annotation[],
  { outputs, hasIndex }: { readonly outputs: readonly BuildOutput[]; readonly hasIndex: boolean },
): void {
  if (annotations.length === 0) return
  const lays = outputs.some(({ kind }) => kind === 'oci' || kind === 'docker')
  const pushes = outputs.some((output) => output.kind === 'image' && output.push !== 'no')
  if (!lays && !pushes)
    throw buildError('build.output_invalid', 'annotations need an image that is pushed or written as an OCI layout', {
      hint: 'They stand in manifests, which stored images do not have here. A label goes into the image itself.',
    })
  const lost = annotations.find(({ level }) => !hasIndex && (level === 'index' || level === 'manifest-descriptor'))
  if (lost !== undefined)
    throw buildError(
      'build.output_invalid',
      `the annotation ${lost.level}:${lost.name} needs an index, and one platform has none`,
      {
        hint: 'Build for several platforms, or with --provenance.',
      },
    )
  if (!lays && annotations.some(({ level }) => level === 'index-descriptor'))
    throw buildError('build.output_invalid', 'annotations of an index-descriptor stand in an OCI layout, and none is written')
}
