import { CommandError } from './command-error.ts'

const UNIT_BYTES: Record<string, number> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
}

/**
 * @param text a number with or without a unit: `16MiB`, `1.5 GB`, `4096`
 * @returns bytes
 * @throws CommandError `wrong_usage`
 */
export function parseByteSize(option: string, text: string): number {
  const [, number, unit] = /^([0-9]+(?:\.[0-9]+)?) ?([a-z]*)$/i.exec(text) ?? []
  const bytes = Number(number) * (UNIT_BYTES[(unit ?? '').toUpperCase()] ?? Number.NaN)
  if (!Number.isSafeInteger(Math.round(bytes))) {
    throw new CommandError('wrong_usage', `--${option} takes bytes or a size like 16MiB or 500kB, not "${text}"`)
  }
  return Math.round(bytes)
}

/** Three digits and a unit of 1024: `205 MiB`. */
export function formatByteSize(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toPrecision(3)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}
