import { parseArgs } from 'node:util'
import type { CodecName } from '../codecs/codec.ts'
import type { MergeOptions } from '../merge/merge-options.ts'
import type { SortColumn } from '../sort/keys/key-order.ts'
import { parseByteSize } from './byte-size.ts'
import { CommandError, messageOf } from './command-error.ts'
import { checkCodec, NODE_CODECS } from './node-codecs.ts'

export const USAGE = `Usage: parquet-compact [options] -o OUT IN…

Merges Parquet files into one file with few, large row groups: files in the given order, the rows of each in theirs,
unless they are sorted. IN is a file, a folder (its *.parquet files and those below, by name) or a pattern such as
'day=*/*.parquet'; a file that is named twice is merged twice.

  -o, --output OUT          the file to write; it appears when it is complete
  -f, --force               replace OUT if it is there
      --codec CODEC         keep (default), zstd, snappy, gzip, brotli or none
      --row-group SIZE      wanted size of a row group, compressed; default 16MiB
      --row-group-rows N    it also ends after so many rows; default 131072
      --min-page SIZE       smaller pages are rewritten in larger ones; default 4KiB
      --memory SIZE         bound on all that is held at one time; default 64MiB
      --pages WAY           splice (default): pages pass unread where they can; check: they pass after a look inside;
                            rewrite: each is decoded and rewritten
      --reads N             reads under way at one time; default 6
      --sort-by COLUMNS     sort the rows: 'day,price:desc,name:desc:nulls-first'; those of equal keys stay as they came;
                            rows that do not fit into memory take as much room again in a temporary file beside OUT
      --dedupe-by COLUMNS   keep one of the rows that are equal in these columns: 'id,day'
      --keep WHICH          last (default) or first of them, in the order of the inputs
      --schema HOW          strict (default): all files have one schema; union: columns are matched by name
      --verify              read inputs and OUT back with another reader and compare every row, before OUT appears
      --plan                print what would be done, and why; nothing is written
      --json                print the report, the plan or the error as JSON
  -q, --quiet               no report and no progress
  -h, --help                print this
      --version             print the version

SIZE is bytes, or has a unit: 500kB, 16MiB. Exit codes: 0 done, 1 failed (an input refused, OUT not written, or not equal
to its inputs), 2 wrong usage. A message on standard error opens with a stable code.`

export type Command =
  | { kind: 'help' }
  | { kind: 'version' }
  | { kind: 'plan'; inputs: string[]; merge: MergeOptions; isJson: boolean }
  | MergeCommand

export interface MergeCommand {
  kind: 'merge'
  inputs: string[]
  output: string
  mayReplace: boolean
  verify: boolean
  isJson: boolean
  isQuiet: boolean
  merge: MergeOptions
}

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  force: { type: 'boolean', short: 'f' },
  codec: { type: 'string' },
  'row-group': { type: 'string' },
  'row-group-rows': { type: 'string' },
  'min-page': { type: 'string' },
  memory: { type: 'string' },
  pages: { type: 'string' },
  reads: { type: 'string' },
  'sort-by': { type: 'string' },
  'dedupe-by': { type: 'string' },
  keep: { type: 'string' },
  schema: { type: 'string' },
  verify: { type: 'boolean' },
  plan: { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

type Values = { [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name]['type'] extends 'string' ? string : boolean }

const CODECS = ['keep', 'zstd', 'snappy', 'gzip', 'brotli', 'none'] as const satisfies readonly ('keep' | CodecName)[]

/** @throws CommandError `wrong_usage`, `codec_unavailable` */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals: inputs } = parse(args)
  if (values.help) return { kind: 'help' }
  if (values.version) return { kind: 'version' }
  if (inputs.length === 0) throw new CommandError('wrong_usage', 'no input is named; --help lists the options')
  const merge = mergeOptions(values)
  const isJson = values.json ?? false
  if (values.plan) {
    if (values.verify) throw new CommandError('wrong_usage', '--plan writes nothing that --verify could read')
    return { kind: 'plan', inputs, merge, isJson }
  }
  const { output } = values
  if (!output) throw new CommandError('wrong_usage', 'no output is named: -o OUT')
  return {
    kind: 'merge',
    inputs,
    output,
    mayReplace: values.force ?? false,
    verify: values.verify ?? false,
    isJson,
    isQuiet: values.quiet ?? false,
    merge,
  }
}

function parse(args: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (cause) {
    throw new CommandError('wrong_usage', `${messageOf(cause)}`, { cause })
  }
}

/** Each option of the merge stands here once; what is not named keeps the default of the library. */
function mergeOptions(values: Values): MergeOptions {
  const options: MergeOptions = { codecs: NODE_CODECS }
  if (values.codec !== undefined) options.codec = oneOf('codec', values.codec, CODECS)
  if (options.codec) checkCodec(options.codec)
  if (values['row-group'] !== undefined) options.targetRowGroupBytes = size('row-group', values['row-group'], 1)
  if (values['row-group-rows'] !== undefined)
    options.targetRowGroupRows = count('row-group-rows', values['row-group-rows'])
  if (values['min-page'] !== undefined) options.minPageBytes = size('min-page', values['min-page'], 0)
  if (values.memory !== undefined) options.memoryBudgetBytes = size('memory', values.memory, 2 ** 20)
  if (values.pages !== undefined) options.pages = oneOf('pages', values.pages, ['splice', 'check', 'rewrite'])
  if (values.reads !== undefined) options.maxReadsInFlight = count('reads', values.reads)
  if (values['sort-by'] !== undefined) options.sortBy = names('sort-by', values['sort-by']).map(sortColumn)
  if (values['dedupe-by'] !== undefined) options.dedupeBy = names('dedupe-by', values['dedupe-by'])
  if (values.keep !== undefined) options.keep = oneOf('keep', values.keep, ['first', 'last'])
  if (options.keep && !options.dedupeBy) throw new CommandError('wrong_usage', '--keep is for --dedupe-by')
  if (values.schema !== undefined) options.schema = oneOf('schema', values.schema, ['strict', 'union'])
  return options
}

function names(option: string, text: string): string[] {
  const columns = text.split(',').map((name) => name.trim())
  if (columns.includes('')) throw new CommandError('wrong_usage', `--${option} takes columns like 'a,b', not "${text}"`)
  return columns
}

/** Parses `name`, `name:desc` and the like; an unknown ending belongs to the name. */
function sortColumn(text: string): SortColumn {
  const [, column, direction, nulls] = /^(.+?)(:asc|:desc)?(:nulls-first|:nulls-last)?$/.exec(text)!
  return { column: column!, descending: direction === ':desc', nullsFirst: nulls === ':nulls-first' }
}

function oneOf<const Choice extends string>(option: string, value: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((other) => other === value)
  if (choice === undefined) {
    throw new CommandError('wrong_usage', `--${option} takes ${choices.join(', ')}, not "${value}"`)
  }
  return choice
}

function size(option: string, text: string, least: number): number {
  const bytes = parseByteSize(option, text)
  if (bytes < least) throw new CommandError('wrong_usage', `--${option} must be at least ${least} bytes, not ${bytes}`)
  return bytes
}

function count(option: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new CommandError('wrong_usage', `--${option} takes a number from 1 to 999999999, not "${text}"`)
  }
  return Number(text)
}
