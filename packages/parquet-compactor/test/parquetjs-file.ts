import type { FieldDefinition } from '@dsnp/parquetjs/dist/lib/declare.js'
import { ParquetSchema } from '@dsnp/parquetjs/dist/lib/schema.js'
import { ParquetWriter } from '@dsnp/parquetjs/dist/lib/writer.js'

/** Write rows with parquetjs. `options` as its writer takes them. */
export async function writeWithParquetjs(
  definition: Record<string, FieldDefinition>,
  rows: readonly object[],
  options: object = {},
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  const stream = {
    write(bytes: Uint8Array, done?: () => void) {
      pieces.push(new Uint8Array(bytes))
      done?.()
    },
    end: (done: () => void) => done(),
  }
  const writer = await ParquetWriter.openStream(new ParquetSchema(definition), stream as never, options as never)
  for (const row of rows) await writer.appendRow(row as never)
  await writer.close()
  return new Uint8Array(Buffer.concat(pieces))
}
