/** The packages whose sources are mutated. */
export const MUTATED_PACKAGES = ['FUSOU-WORKFLOW', 'catalog', 'FUSOU-WEB', 'parquet-compactor'] as const

/** The packages whose tests may notice a mutant: they run in this process tree, so that their reach can be seen. */
export const TESTING_PACKAGES = MUTATED_PACKAGES

/**
 * Tests that would cost a mutant minutes, and whose subject other tests hold too: races of sessions, fuzzing, memory, the
 * built package. They also run outside of `npm test`, or read clocks.
 */
export const TOO_LONG = /\/test\/(races|model|state-machine)\/|\/(fuzz|sort-fuzz|bench|package|memory)\.test\.ts$/

/** Tests that start processes of their own, whose reach nobody sees, and the sources that these processes run. */
export const UNSEEN_REACH: readonly { sources: RegExp; tests: RegExp }[] = [
  { sources: /^packages\/parquet-compactor\/src\/command\//, tests: /^packages\/parquet-compactor\/test\/command/ },
]

/** Tests without a runtime and a database. */
export const QUICK = /\/test\/units\//
