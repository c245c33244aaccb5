/** What this process waits for and what ends without anybody's doing: trips to the disk and callbacks of the next turn. */
const PASSING = /^(?:FSReq|CloseReq|Immediate|RandomBytes)/

/**
 * Resolves when the code under test waits for time alone, however slow the disk and however busy the machine. For tests that have a process
 * of their own and no sockets or children in it.
 */
export async function untilIdle(): Promise<void> {
  do await new Promise<void>((resolve) => setImmediate(resolve))
  while (process.getActiveResourcesInfo().some((name) => PASSING.test(name)))
}
