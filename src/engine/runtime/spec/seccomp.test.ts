import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { defaultProfile, planSeccomp } from './seccomp.ts'
import { ALLOWED_CALLS, CAPABILITY_CALLS, DENIED_CALLS } from './seccomp-calls.ts'
import { ABLE_HOST, PLAIN_INPUT } from './testing.ts'

/** What the profile answers to a call, of the rules without arguments. */
function answer(capabilities: readonly string[], call: string): number | 'allow' | 'conditional' {
  const profile = defaultProfile(capabilities, 'x64')
  const rules = (profile.syscalls ?? []).filter((rule) => rule.names.includes(call))
  if (rules.some((rule) => rule.args !== undefined)) return 'conditional'
  assert.ok(rules.length <= 1, `${call} has ${rules.length} rules`)
  if (rules[0] === undefined) return profile.defaultErrnoRet ?? 0
  return rules[0].action === 'SCMP_ACT_ALLOW' ? 'allow' : (rules[0].errnoRet ?? 0)
}

test('calls are allowed, refused, or unknown', () => {
  assert.equal(answer([], 'read'), 'allow')
  assert.equal(answer([], 'mount'), 1)
  assert.equal(answer([], 'keyctl'), 1)
  assert.equal(answer([], 'clone3'), 38)
  assert.equal(answer([], 'a_call_of_next_year'), 38)
  assert.equal(answer([], 'socket'), 'conditional')
  assert.equal(answer([], 'clone'), 'conditional')
})

test('a capability opens the calls that are its own', () => {
  assert.equal(answer(['CAP_SYS_ADMIN'], 'mount'), 'allow')
  assert.equal(answer(['CAP_SYS_ADMIN'], 'clone'), 'allow')
  assert.equal(answer(['CAP_SYS_ADMIN'], 'clone3'), 'allow')
  assert.equal(answer(['CAP_SYS_CHROOT'], 'chroot'), 'allow')
  assert.equal(answer(['CAP_SYSLOG'], 'syslog'), 'allow')
  fc.assert(
    fc.property(fc.subarray(Object.keys(CAPABILITY_CALLS)), (capabilities) => {
      for (const [name, calls] of Object.entries(CAPABILITY_CALLS))
        for (const call of calls) {
          const isGranted = capabilities.some((held) => CAPABILITY_CALLS[held]?.includes(call))
          if (call === 'clone' || call === 'clone3') continue
          assert.equal(answer(capabilities, call), isGranted ? 'allow' : 1, `${call} of ${name}`)
        }
    }),
    { numRuns: 20 },
  )
})

test('no call is in two lists', () => {
  const conditional = Object.values(CAPABILITY_CALLS).flat()
  assert.equal(new Set(ALLOWED_CALLS).size, ALLOWED_CALLS.length)
  for (const call of [...conditional, ...DENIED_CALLS]) assert.ok(!ALLOWED_CALLS.includes(call), call)
  for (const call of DENIED_CALLS) assert.ok(!conditional.includes(call), call)
})

test('a profile of one’s own is taken as it is, with what depends on the container decided', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW', comment: 'needed' },
      { name: 'write', action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
      { names: ['mount'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['clone'], action: 'SCMP_ACT_ALLOW', excludes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['old'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '99.1' } },
      { names: ['arm_call'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['arm64'] } },
      { names: ['arch_prctl'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['amd64'], minKernel: '4.8' } },
    ],
  }
  const security = { ...PLAIN_INPUT.security, seccomp: JSON.stringify(profile) }
  const read = planSeccomp(security, [], ABLE_HOST)
  assert.deepEqual(read?.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'])
  assert.deepEqual(
    read?.syscalls?.flatMap((rule) => rule.names),
    ['read', 'write', 'clone', 'arch_prctl'],
  )
})

test('a profile that cannot be read is refused with what is wrong', () => {
  const read = (seccomp: string) => planSeccomp({ ...PLAIN_INPUT.security, seccomp }, [], ABLE_HOST)
  assert.throws(() => read('{'), /the seccomp profile cannot be read/)
  assert.throws(() => read('{}'), /defaultAction is missing, not a text/)
  assert.throws(() => read('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_KILL"}]}'), /names no call/)
  assert.equal(read('unconfined'), undefined)
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        read(text)
      } catch (error) {
        assert.match(String(error), /seccomp profile/)
      }
    }),
  )
})
