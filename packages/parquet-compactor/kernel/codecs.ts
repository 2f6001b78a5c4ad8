// As src/kernel/kernel.ts numbers them; any other number leaves pages to the caller.

export const NONE: u32 = 0
export const SNAPPY: u32 = 1
/** in inputs, only frames that are not compressed */
export const ZSTD: u32 = 2
