import { hash } from 'node:crypto'

import type { JsonObject } from '#oci/image'

import type { BuiltImage } from '../built-image.ts'
import type { InstalledPackages, Package } from './packages.ts'

/** SPDX 2.3, in JSON: the packages of an image. Same image, same document. */
export function spdxDocument(
  image: Pick<BuiltImage, 'id' | 'config'>,
  { distribution, packages }: InstalledPackages,
): JsonObject {
  const root = 'SPDXRef-DocumentRoot-Image'
  const ids = packages.map((one) => `SPDXRef-Package-${one.kind}-${hash('sha256', JSON.stringify(one), 'hex').slice(0, 16)}`)
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image.id,
    // Has to be unique for each document, and need not lead anywhere (section 6.5).
    documentNamespace: `urn:glovebox:sbom:${image.id}`,
    creationInfo: { creators: ['Tool: glovebox'], created: secondsOf(image.config.created) },
    packages: [
      {
        name: image.id,
        SPDXID: root,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        primaryPackagePurpose: 'CONTAINER',
      },
      ...packages.map((one, index) => packageEntry(one, ids[index] ?? '', distribution)),
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relatedSpdxElement: root, relationshipType: 'DESCRIBES' },
      ...ids.map((id) => ({ spdxElementId: root, relatedSpdxElement: id, relationshipType: 'CONTAINS' })),
    ],
  }
}

function packageEntry(one: Package, id: string, distribution: InstalledPackages['distribution']): JsonObject {
  return {
    name: one.name,
    SPDXID: id,
    versionInfo: one.version,
    supplier: one.maintainer === '' ? 'NOASSERTION' : `Person: ${one.maintainer}`,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    // What a database calls a licence is rarely an expression of SPDX's own.
    licenseDeclared: 'NOASSERTION',
    ...(one.license === '' ? {} : { licenseComments: one.license }),
    copyrightText: 'NOASSERTION',
    ...(one.source === '' ? {} : { sourceInfo: `built from the source package ${one.source}` }),
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: packageAddress(one, distribution) },
    ],
  }
}

/** purl-spec, types `deb` and `apk`. */
export function packageAddress(
  { kind, name, version, architecture }: Package,
  distribution: InstalledPackages['distribution'],
): string {
  const vendor = distribution.id === '' ? (kind === 'deb' ? 'debian' : 'alpine') : distribution.id
  const qualifiers = [
    ...(architecture === '' ? [] : [`arch=${encodeURIComponent(architecture)}`]),
    ...(distribution.version === '' ? [] : [`distro=${encodeURIComponent(`${vendor}-${distribution.version}`)}`]),
  ]
  const address = `pkg:${kind}/${encodeURIComponent(vendor)}/${encodeURIComponent(name)}@${encodeURIComponent(version)}`
  return qualifiers.length === 0 ? address : `${address}?${qualifiers.join('&')}`
}

/** Without fractions, as section 6.9 wants it. */
function secondsOf(time: string): string {
  return new Date(Date.parse(time)).toISOString().replace(/\.\d+Z$/, 'Z')
}
