/** Classic BPF as seccomp has it: linux/filter.h and linux/bpf_common.h; `struct seccomp_data` of linux/seccomp.h is what it reads. */
export interface BpfInstruction {
  readonly code: number
  /** How many instructions to skip if the comparison holds, and if not. */
  readonly jt: number
  readonly jf: number
  readonly k: number
}

export const BPF = { load: 0x20, jump: 0x05, equal: 0x15, greater: 0x25, atLeast: 0x35, anyBit: 0x45, return: 0x06 } as const

/** Where `struct seccomp_data` has the number of the system call and the architecture that it was made in. */
export const OFFSET = { number: 0, architecture: 4 } as const

/** BPF_MAXINSNS */
export const MAX_INSTRUCTIONS = 4096
/** struct sock_filter */
export const INSTRUCTION_BYTES = 8

export function readProgram(bytes: Buffer): readonly BpfInstruction[] {
  return Array.from({ length: bytes.length / INSTRUCTION_BYTES }, (_, index) => {
    const at = index * INSTRUCTION_BYTES
    return {
      code: bytes.readUInt16LE(at),
      jt: bytes.readUInt8(at + 2),
      jf: bytes.readUInt8(at + 3),
      k: bytes.readUInt32LE(at + 4),
    }
  })
}

export function writeProgram(program: readonly BpfInstruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES)
  program.forEach(({ code, jt, jf, k }, index) => {
    const at = index * INSTRUCTION_BYTES
    bytes.writeUInt16LE(code, at)
    bytes.writeUInt8(jt, at + 2)
    bytes.writeUInt8(jf, at + 3)
    bytes.writeUInt32LE(k, at + 4)
  })
  return bytes
}

/** Whether a conditional jump's comparison holds; undefined: it is none. */
export function compares(code: number, left: number, right: number): boolean | undefined {
  switch (code) {
    case BPF.equal:
      return left === right
    case BPF.greater:
      return left > right
    case BPF.atLeast:
      return left >= right
    case BPF.anyBit:
      return (left & right) !== 0
    default:
      return undefined
  }
}
