// Encodings of parquet.thrift that pages of flat columns use.

export const PLAIN = 0
export const PLAIN_DICTIONARY = 2
export const RLE = 3
export const RLE_DICTIONARY = 8
