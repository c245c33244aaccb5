import type { Diagnosis, DiagnosisCode } from './diagnosis.ts'
import type { FailedPull } from './facts.ts'
import { severityOf } from './task-trouble.ts'
import { serviceName, serviceSubjects, type Scene } from './scene.ts'
import { quoted, sentence } from './words.ts'

/** Services whose image is not here, and images that could not be fetched for whoever asked. */
export function diagnoseImages(scene: Scene): readonly Diagnosis[] {
  const here = new Set(scene.images.flatMap(({ names }) => names))
  const wanting = scene.services.filter((service) => {
    const { image, state, waits } = service
    const isFetched =
      waits.some(({ reason }) => reason.includes('is being pulled')) && !scene.pulls.some((pull) => pull.image === image)
    return state !== 'removing' && !isFetched && scene.lacksImage(service)
  })
  const ofServices = wanting.map((service): Diagnosis => {
    const pull = scene.pulls.find(({ image }) => image === service.image)
    const subject = serviceName(service)
    const about = serviceSubjects(service)
    if (pull !== undefined) return { ...failedPull(pull, `${subject} cannot run: `), about, severity: severityOf(service) }
    return {
      code: 'image.missing',
      severity: severityOf(service),
      about,
      because: [],
      sentence: `${subject} cannot run: its image ${service.image} is not here.`,
      evidence: here.size === 0 ? ['there are no images here'] : [],
      advice: `\`glovebox pull ${service.image}\`, or build, load or import it.`,
      sinceMs: null,
    }
  })
  const wanted = new Set(wanting.map(({ image }) => image))
  const ofOthers = scene.pulls
    .filter(({ image }) => !wanted.has(image) && !here.has(image))
    .map((pull): Diagnosis => ({ ...failedPull(pull, ''), about: [scene.imageOf(pull.image)], severity: 'note' }))
  return [...ofServices, ...ofOthers]
}

interface Refusal {
  readonly pattern: RegExp
  readonly code: DiagnosisCode
  readonly what: (image: string) => string
  readonly advice: string
}

/** By the code of the error, the first that fits. */
const REFUSALS: readonly Refusal[] = [
  {
    pattern: /^registry\.(?:manifest_unknown|repository_unknown|platform_missing|blob_unknown)$/,
    code: 'image.not_found',
    what: (image) => `the registry has no image ${image}`,
    advice: 'See name, tag and platform; `glovebox push` or a build brings it there.',
  },
  {
    pattern: /^registry\.(?:unauthorized|denied|pull_denied|realm_refused|credentials_\w+)$/,
    code: 'image.denied',
    what: (image) => `the registry does not give ${image} to us`,
    advice:
      'Sign in (`glovebox login REGISTRY`) as somebody who may pull it, or correct the name: registries say the same of what is not there.',
  },
  {
    pattern: /^registry\.certificate_invalid$/,
    code: 'image.certificate',
    what: (image) => `the registry of ${image} has a certificate that this machine does not trust`,
    advice: 'Put its CA into ROOT/certs.d/HOST:PORT/ca.crt, or give the daemon --insecure-registry for one of your own.',
  },
  {
    pattern: /^registry\.(?:unreachable|timeout|connection_lost|overloaded)$/,
    code: 'image.unreachable',
    what: (image) => `the registry of ${image} cannot be reached`,
    advice: 'See the name of the registry, its port, the name servers and the way out of this machine.',
  },
]

function failedPull({ image, code, message, hint, atMs }: FailedPull, before: string): Omit<Diagnosis, 'about' | 'severity'> {
  const known = REFUSALS.find(({ pattern }) => pattern.test(code))
  return {
    code: known?.code ?? 'image.failed',
    because: [],
    sentence: sentence(`${before}${known?.what(image) ?? `the image ${image} could not be fetched`}`),
    evidence: [`${code}: ${quoted(message)}`],
    advice:
      hint === ''
        ? (known?.advice ?? 'The error says what is in the way; pull it again once that is put right.')
        : sentence(hint),
    sinceMs: atMs,
  }
}
