import { KERNEL_BUILD } from '../kernel/kernel-wasm.ts'

/** The version in package.json; a test holds them together. */
export const LIBRARY_VERSION = '0.1.0'

/**
 * `created_by` of the output. Readers look for `<application> version <semver> (build <hash>)`; parquet-java ignores the bounds of
 * byte arrays of a writer whose version it cannot read. The build is the hash of the kernel, which changes with it.
 */
export const CREATED_BY = `fusou-compaction version ${LIBRARY_VERSION} (build ${KERNEL_BUILD})`
