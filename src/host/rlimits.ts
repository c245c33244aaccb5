const NAME_OF_LINE: Readonly<Record<string, string>> = {
  'Max cpu time': 'cpu',
  'Max file size': 'fsize',
  'Max data size': 'data',
  'Max stack size': 'stack',
  'Max core file size': 'core',
  'Max resident set': 'rss',
  'Max processes': 'nproc',
  'Max open files': 'nofile',
  'Max locked memory': 'memlock',
  'Max address space': 'as',
  'Max file locks': 'locks',
  'Max pending signals': 'sigpending',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
}

/** Reads /proc/PID/limits: columns of fixed width, the first of 26. */
export function parseLimits(text: string): Readonly<Record<string, { readonly soft: number; readonly hard: number }>> {
  const entries = text.split('\n').flatMap((line) => {
    const name = NAME_OF_LINE[line.slice(0, 26).trim()]
    const [soft, hard] = line.slice(26).trim().split(/\s+/)
    return name === undefined || soft === undefined || hard === undefined
      ? []
      : [[name, { soft: limitOf(soft), hard: limitOf(hard) }] as const]
  })
  return Object.fromEntries(entries)
}

function limitOf(text: string): number {
  return text === 'unlimited' ? Infinity : Number(text)
}
