// Of parquet.thrift, as far as pages of flat columns need them.

export const PLAIN = 0
export const PLAIN_DICTIONARY = 2
export const RLE = 3
export const RLE_DICTIONARY = 8
