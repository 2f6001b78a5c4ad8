import type { CodecName } from '../codecs/codec.ts'

// Numbers that this side and the WebAssembly kernel (kernel/) agree on.

/** The kind of a page that the kernel hands over, by its number. */
export const WHAT = ['plain', 'indices', 'dictionary', 'checked'] as const

/**
 * As the kernel numbers the codecs that it knows; any other number leaves pages to the caller. Of zstd it knows frames in
 * which nothing is compressed.
 */
export const KERNEL_CODECS: Partial<Record<CodecName, number>> = { none: 0, snappy: 1, zstd: 2 }
export const OTHER_CODEC = 3

/** Why the kernel stopped, by its number. */
export const STOPS = ['done', 'paged', 'odd', 'full'] as const

/**
 * `done` with a chunk; `paged` before a page that the caller unpacks, or whose checksum it compares; `odd` where the chunk must
 * be read in another way; `full` when the caller has got a page to compress, and is to come again
 */
export type Taken = (typeof STOPS)[number]

/** The kernel counts bytes in numbers of 32 bits. */
export const MAX_BYTES = 2 ** 29
