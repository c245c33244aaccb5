import { joinLabels, labelsOf, labelText, type MetricFamily, type Sample } from '#observe/metrics'

/** What one target said. */
export interface ScrapedText {
  readonly names: Readonly<Record<string, string>>
  readonly families: readonly MetricFamily[]
}

/** Samples of all targets together. Whoever comes after it is full is left out, and that is told. */
export const MAX_MERGED_SAMPLES = 100_000

export interface Merged {
  readonly families: readonly MetricFamily[]
  /** What was left out of each text, by its place in the list; for people. */
  readonly problems: ReadonlyMap<number, string>
}

/**
 * All of it as one text: each family once, and the names of its target on each sample. A label of the target's own with such a name becomes `exported_NAME`, as Prometheus does it.
 * Targets that disagree on what a name is: the first is believed. Pure.
 */
export function mergeTexts(texts: readonly ScrapedText[]): Merged {
  const families = new Map<string, { readonly spec: Omit<MetricFamily, 'samples'>; readonly samples: Sample[] }>()
  /** Names of samples, by whose family they are: `a_sum` may be of the histogram `a`, or a counter of its own. */
  const owners = new Map<string, string>()
  const problems = new Map<number, string>()
  let count = 0
  for (const [index, { names, families: told }] of texts.entries()) {
    const size = told.reduce((sum, { samples }) => sum + samples.length, 0)
    if (count + size > MAX_MERGED_SAMPLES) {
      problems.set(index, `all targets together say more than ${MAX_MERGED_SAMPLES} samples`)
      continue
    }
    const own = labelText(names)
    for (const { samples, ...spec } of told) {
      const known = families.get(spec.name)
      const sampleNames = [...new Set(samples.map(({ suffix }) => spec.name + suffix)), spec.name]
      const clash = sampleNames.find((name) => (owners.get(name) ?? spec.name) !== spec.name)
      if (clash !== undefined || (known !== undefined && known.spec.type !== spec.type)) {
        problems.set(index, `${clash ?? spec.name} is something else at another target`)
        continue
      }
      const family = known ?? { spec, samples: [] }
      families.set(spec.name, family)
      for (const name of sampleNames) owners.set(name, spec.name)
      for (const sample of samples)
        family.samples.push({ ...sample, labels: joinLabels(own, withoutClash(sample.labels, names)) })
      count += samples.length
    }
  }
  return { families: [...families.values()].map(({ spec, samples }) => ({ ...spec, samples })), problems }
}

function withoutClash(text: string, names: Readonly<Record<string, string>>): string {
  if (text === '') return text
  const labels = labelsOf(text)
  if (!Object.keys(labels).some((label) => Object.hasOwn(names, label))) return text
  const taken = new Set([...Object.keys(labels), ...Object.keys(names)])
  return labelText(
    Object.fromEntries(
      Object.entries(labels).map(([label, value]) => {
        if (!Object.hasOwn(names, label)) return [label, value]
        let exported = `exported_${label}`
        while (taken.has(exported)) exported = `exported_${exported}`
        taken.add(exported)
        return [exported, value]
      }),
    ),
  )
}
