import { PUBLIC_MIRRORS, sourcesOf, type DebianBase } from './suites.ts'

export interface AddedFile {
  readonly path: string
  readonly mode: number
  readonly text: string
}

/**
 * What makes a file system of packages a good base of images. The names in apt's directory are the ones that Dockerfiles of the world
 * remove or override (`rm /etc/apt/apt.conf.d/docker-clean` before a cache mount), so they are part of the interface.
 */
export function addedFiles(base: DebianBase): readonly AddedFile[] {
  return [
    { path: 'etc/apt/sources.list.d/debian.sources', mode: 0o644, text: aptSources(base) },
    {
      path: 'etc/apt/apt.conf.d/docker-clean',
      mode: 0o644,
      text: [
        '// Downloaded packages and the caches built from them would only make each layer larger.',
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
        'APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
        'Dir::Cache::pkgcache "";',
        'Dir::Cache::srcpkgcache "";',
        '',
      ].join('\n'),
    },
    {
      path: 'etc/apt/apt.conf.d/docker-no-languages',
      mode: 0o644,
      text: '// Translated descriptions of packages: nobody reads them in an image.\nAcquire::Languages "none";\n',
    },
    {
      path: 'etc/apt/apt.conf.d/docker-gzip-indexes',
      mode: 0o644,
      text: '// Package lists stay compressed, for images that keep them.\nAcquire::GzipIndexes "true";\n',
    },
    {
      path: 'etc/apt/apt.conf.d/docker-autoremove-suggests',
      mode: 0o644,
      text: '// What is only suggested by another package may be removed automatically.\nApt::AutoRemove::SuggestsImportant "false";\n',
    },
    {
      path: 'etc/dpkg/dpkg.cfg.d/docker-apt-speedup',
      mode: 0o644,
      text: '# A build that crashes starts over: flushing every file to the disk gains nothing.\nforce-unsafe-io\n',
    },
    ...(base.isSlim ? [{ path: 'etc/dpkg/dpkg.cfg.d/docker', mode: 0o644, text: SLIM_RULES }] : []),
    {
      path: 'usr/sbin/policy-rc.d',
      mode: 0o755,
      text: '#!/bin/sh\n# Packages must not start services while an image is built (101: action forbidden by policy).\nexit 101\n',
    },
  ]
}

/** For packages that are installed later. */
const SLIM_RULES = [
  '# What the base left out, packages installed on top of it leave out as well.',
  ...['doc', 'man', 'groff', 'info', 'lintian', 'linda', 'locale'].map((name) => `path-exclude /usr/share/${name}/*`),
  '# Licences stay.',
  'path-include /usr/share/doc/*/copyright',
  'path-include /usr/share/locale/locale.alias',
  '',
].join('\n')

/** sources.list(5), deb822 style. */
function aptSources(base: DebianBase): string {
  const byUri = Map.groupBy(sourcesOf(base, PUBLIC_MIRRORS), ({ uri }) => uri)
  return [...byUri]
    .map(([uri, sources]) =>
      [
        'Types: deb',
        `URIs: ${uri}`,
        `Suites: ${sources.map(({ suite }) => suite).join(' ')}`,
        'Components: main',
        'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
        '',
      ].join('\n'),
    )
    .join('\n')
}
