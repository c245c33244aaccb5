import type { BuiltImage } from '../built-image.ts'
import type { BuildPorts, Predicate } from '../ports.ts'
import type { BuildRequest } from '../request.ts'
import { packagesOf } from './packages.ts'
import { provenance, type BuildTimes } from './provenance.ts'
import { spdxDocument } from './spdx.ts'

/** An image and what is said of it. */
export interface AttestedImage extends BuiltImage {
  readonly predicates: readonly Predicate[]
}

/** Says of each image how it was made and what is in it, as far as that was asked for. */
export async function attest(
  ports: Pick<BuildPorts, 'root'>,
  request: BuildRequest,
  images: readonly BuiltImage[],
  times: BuildTimes,
): Promise<readonly AttestedImage[]> {
  const attested: AttestedImage[] = []
  for (const image of images) {
    const predicates: Predicate[] = []
    if (request.hasSbom === true) predicates.push(await sbom(ports, image))
    if (request.provenance !== undefined) predicates.push(provenance(image, request, request.provenance, times))
    attested.push({ ...image, predicates })
  }
  return attested
}

async function sbom(ports: Pick<BuildPorts, 'root'>, image: BuiltImage): Promise<Predicate> {
  await using root = await ports.root.open(image.config.diffIds)
  const found = await packagesOf(root)
  return { type: 'https://spdx.dev/Document', content: spdxDocument(image, found) }
}
