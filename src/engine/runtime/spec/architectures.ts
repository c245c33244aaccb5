/** The machine's own and the 32-bit one that it can run. Not x32, which hardly any kernel has. */
export function architecturesOf(architecture: string): readonly string[] {
  if (architecture === 'x64' || architecture === 'amd64') return ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']
  return architecture === 'arm64' ? ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'] : []
}
