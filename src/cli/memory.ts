import { UsageError } from './arguments.js'

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** Bytes of a size as people write it: `500MB`, `1.5 GiB`, `80000`. @throws UsageError naming the option. */
export function bytesOf(text: string, option: string): number {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? []
  const factor = units[(unit ?? '').toLowerCase()]
  const bytes = Math.floor(Number(number) * (factor ?? Number.NaN))
  if (!(bytes > 0))
    throw new UsageError(`${option}: got ${JSON.stringify(text)}, expected a size such as 500MB or 2GiB`)
  return bytes
}
