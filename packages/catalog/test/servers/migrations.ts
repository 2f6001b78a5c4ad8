import { globSync } from 'node:fs'
import { join } from 'node:path'

const SUPABASE = join(import.meta.dirname, '../../../../supabase')
export const MIGRATIONS = join(SUPABASE, 'migrations')
export const SCHEMAS = join(SUPABASE, 'schemas')

/** The SQL files of a folder, in the order in which they apply. */
export const sqlFiles = (folder: string): string[] => globSync(join(folder, '*.sql')).sort()
