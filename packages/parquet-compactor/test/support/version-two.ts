import { Compression, readParquet, WriterPropertiesBuilder, WriterVersion, writeParquet } from 'parquet-wasm/node'

/** Write a file again with data pages of version 2, which of the writers at hand only arrow-rs has. */
export function inVersionTwo(file: Uint8Array, codec: keyof typeof Compression = 'SNAPPY', hasDictionary = true) {
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression[codec])
    .setWriterVersion(WriterVersion.V2)
    .setDictionaryEnabled(hasDictionary)
    .build()
  return new Uint8Array(writeParquet(readParquet(file), properties))
}
