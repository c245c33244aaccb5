import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { command } from './measure.ts'

/** A static program that does nothing, sleeps or prints: the smallest root file system that runs. */
const PROBE = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  const char *name = strrchr(argv[0], '/');
  name = name ? name + 1 : argv[0];
  if (!strcmp(name, "sleep")) { if (argc > 1 && strcmp(argv[1], "infinity")) sleep(atoi(argv[1])); else for (;;) pause(); }
  if (!strcmp(name, "echo") && argc > 1) puts(argv[1]);
  return 0;
}
`

/** A root file system with /bin/true, /bin/sleep and /bin/echo, as a directory and as a tar to import. */
export async function probeImage(directory: string): Promise<{ readonly rootfs: string; readonly tar: string }> {
  const rootfs = join(directory, 'rootfs')
  for (const name of ['bin', 'dev', 'proc', 'sys', 'etc', 'tmp']) mkdirSync(join(rootfs, name), { recursive: true })
  writeFileSync(join(directory, 'probe.c'), PROBE)
  await command('gcc', ['-static', '-O2', '-o', join(rootfs, 'bin/true'), join(directory, 'probe.c')])
  for (const name of ['sleep', 'echo']) cpSync(join(rootfs, 'bin/true'), join(rootfs, 'bin', name))
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n')
  const tar = join(directory, 'rootfs.tar')
  await command('tar', ['-C', rootfs, '-cf', tar, '.'])
  return { rootfs, tar }
}
