/** Peak memory of workerd while it merges so many fragments, read by ranges: run-memory LIST COUNT */
import { readFileSync } from 'node:fs'
import { mergeManyInWorkerd } from './in-workerd.ts'

const [list, count] = process.argv.slice(2) as [string, string]
console.log(JSON.stringify(await mergeManyInWorkerd(JSON.parse(readFileSync(list, 'utf8')), Number(count))))
