import type { FusouClient } from '@fusou/client'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { Failure } from './failure.ts'
import { openClient, type Session } from './session.ts'

/** A program of commands that share an output and a client. */
export class Commands {
  readonly program: Command
  readonly session: Session

  constructor(program: Command, session: Session) {
    this.program = program
    this.session = session
  }

  get client(): FusouClient {
    return openClient(this.session)
  }

  get asJson(): boolean {
    return this.program.opts<{ json?: boolean }>().json === true
  }

  /** One answer: as JSON for programs, or as text for people. */
  show(answer: unknown, text: () => string): void {
    this.session.out(this.asJson ? `${JSON.stringify(answer)}\n` : text())
  }
}

export const path = <Path extends object>(values: Path) => ({ params: { path: values } })

export const limitOption = (initial: number) =>
  new Option('--limit <number>', 'rows at the most').argParser(wholeNumber(1)).default(initial)

export async function take<Item>(source: AsyncGenerator<Item>, limit: number): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of source) {
    if (found.length === limit) break
    found.push(item)
  }
  return found
}

export const wholeNumber = (least: number) => (text: string) => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new InvalidArgumentError(`a whole number from ${least} is needed`)
  return value
}

export const separated = (text: string, before: string[] = []) => [
  ...before,
  ...text.split(',').filter((part) => part !== ''),
]

export interface Place {
  readonly datasetId: string
  readonly table: string | undefined
}

/** `my-data` or `my-data/flights`. */
export function parsePlace(text: string): Place {
  const [datasetId = '', table, ...more] = text.split('/')
  if (datasetId === '' || table === '' || more.length > 0)
    throw new InvalidArgumentError('a dataset, or a table as dataset/table')
  return { datasetId, table }
}

/** `name=value`, the value as JSON where it is JSON, else as text. */
export function parseSettings(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new Failure(`${pair}: write name=value, such as codec=zstd or mergeMinFiles=null`, 2)
      const text = pair.slice(at + 1)
      try {
        return [pair.slice(0, at), JSON.parse(text) as unknown]
      } catch {
        return [pair.slice(0, at), text]
      }
    }),
  )
}
