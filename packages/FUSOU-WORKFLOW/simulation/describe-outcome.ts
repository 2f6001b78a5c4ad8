import { type Billed, DOLLARS_PER_MILLION } from './prices.ts'
import type { Outcome } from './simulate-uploads.ts'

const BILLED = Object.keys(DOLLARS_PER_MILLION) as Billed[]

export function dollarsPerMillionUploads({ operations, uploads }: Outcome): number {
  return BILLED.reduce((total, billed) => total + (operations[billed] * DOLLARS_PER_MILLION[billed]) / uploads, 0)
}

const count = (number: number) => Math.round(number).toLocaleString('en-US')
const perUpload = (number: number, { uploads }: Outcome) => (number / uploads).toFixed(3)

const ROWS: Record<string, (outcome: Outcome) => string> = {
  uploads: ({ uploads }) => count(uploads),
  'uploaded, GB': ({ uploadedBytes }) => (uploadedBytes / 1e9).toFixed(1),
  'bytes merged per byte uploaded': ({ writeAmplification }) => writeAmplification.toFixed(2),
  'rewrites of a row, at most': ({ maxRewrites }) => count(maxRewrites),
  'live files at the end': ({ liveFiles }) => count(liveFiles),
  'small files of a partition, at most': ({ maxSmallFiles }) => count(maxSmallFiles),
  jobs: ({ jobs }) => count(jobs),
  merges: ({ merges }) => count(merges),
  'R2 class A per upload': (outcome) => perUpload(outcome.operations.r2ClassA, outcome),
  'R2 class B per upload': (outcome) => perUpload(outcome.operations.r2ClassB, outcome),
  'Workflow steps per upload': (outcome) => perUpload(outcome.operations.workflowSteps, outcome),
  'queue operations per upload': (outcome) => perUpload(outcome.operations.queueOperations, outcome),
  'Worker requests per upload': (outcome) => perUpload(outcome.operations.workerRequests, outcome),
  'database calls per upload': (outcome) => perUpload(outcome.operations.databaseCalls, outcome),
  'CPU ms per upload': (outcome) => perUpload(outcome.operations.cpuMilliseconds, outcome),
  'dollars per million uploads': (outcome) => dollarsPerMillionUploads(outcome).toFixed(2),
}

/** A table in Markdown, a column for each outcome. */
export function describeOutcomes(outcomes: readonly Outcome[]): string {
  const [head, ...rows] = Object.entries(ROWS).map(([name, cell]) => [name, ...outcomes.map(cell)])
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head!), line(['---', ...outcomes.map(() => '---:')]), ...rows.map(line)].join('\n')
}
