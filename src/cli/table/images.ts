import type { TableEntry } from '../command.ts'
import { entry } from './entry.ts'

/** Commands about images and registries. */
export const imageEntries: readonly TableEntry[] = [
  entry('Images', 'image ls', 'List images', async () => (await import('../commands/image-ls.ts')).imageLs, [
    'images',
    'image list',
  ]),
  entry('Images', 'build', 'Build an image from a Dockerfile', async () => (await import('../commands/build.ts')).build, [
    'image build',
    'builder build',
  ]),
  entry(
    'Images',
    'image bootstrap',
    'Make a base image from Debian packages',
    async () => (await import('../commands/image-bootstrap.ts')).imageBootstrap,
  ),
  entry(
    'Images',
    'image pull',
    'Fetch images from their registries',
    async () => (await import('../commands/image-pull.ts')).imagePull,
    ['pull'],
  ),
  entry(
    'Images',
    'image push',
    'Send images to their registries',
    async () => (await import('../commands/image-push.ts')).imagePush,
    ['push'],
  ),
  entry('Images', 'login', 'Sign in to a registry', async () => (await import('../commands/login.ts')).login),
  entry('Images', 'logout', 'Forget name and password of a registry', async () => (await import('../commands/login.ts')).logout),
  entry(
    'Images',
    'image load',
    'Read images from an archive',
    async () => (await import('../commands/image-load.ts')).imageLoad,
    ['load'],
  ),
  entry(
    'Images',
    'image save',
    'Write images into an archive',
    async () => (await import('../commands/image-save.ts')).imageSave,
    ['save'],
  ),
  entry(
    'Images',
    'image import',
    'Make an image from a tarball of a root file system',
    async () => (await import('../commands/image-import.ts')).imageImport,
    ['import'],
  ),
  entry(
    'Images',
    'image history',
    'Show the layers of an image',
    async () => (await import('../commands/image-history.ts')).imageHistory,
  ),
  entry(
    'Images',
    'image inspect',
    'Everything the daemon knows of images',
    async () => (await import('../commands/image-inspect.ts')).imageInspect,
  ),
  entry('Images', 'image tag', 'Give an image another name', async () => (await import('../commands/image-tag.ts')).imageTag, [
    'tag',
  ]),
  entry('Images', 'image rm', 'Remove images', async () => (await import('../commands/image-rm.ts')).imageRm, [
    'rmi',
    'image remove',
  ]),
  entry(
    'Images',
    'image prune',
    'Remove images that nothing uses',
    async () => (await import('../commands/prune.ts')).imagePrune,
  ),
  entry(
    'Images',
    'builder prune',
    'Remove results of builds that no image needs',
    async () => (await import('../commands/prune.ts')).builderPrune,
  ),
]
