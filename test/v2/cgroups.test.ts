import { test } from 'node:test'
import { readFileSync } from 'node:fs'
test('hello', () => { process.stdout.write(readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8') + readFileSync('/proc/mounts', 'utf8')) })
