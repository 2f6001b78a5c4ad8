import { expect, test } from 'vitest'
import { describeOutcomes, dollarsPerMillionUploads } from '../simulation/describe-outcome.ts'
import { DEFAULT_SCENARIO, simulateUploads } from '../simulation/simulate-uploads.ts'

const small = { ...DEFAULT_SCENARIO, uploads: 5000, datasets: 2, tablesPerDataset: 2 }
const outcome = simulateUploads(small)

test('a simulation is the same for the same seed, and another for another', () => {
  expect(simulateUploads(small)).toEqual(outcome)
  expect(simulateUploads({ ...small, seed: 2 })).not.toEqual(outcome)
})

test('rows are seldom rewritten, and files stay few', () => {
  expect(outcome.uploads).toBe(5000)
  expect(outcome.maxRewrites).toBeLessThanOrEqual(1 + Math.log2(5000) / 3)
  expect(outcome.writeAmplification).toBeGreaterThan(0.9)
  expect(outcome.writeAmplification).toBeLessThanOrEqual(outcome.maxRewrites)
  expect(outcome.liveFiles).toBeLessThan(100)
})

test('an upload is one put and one call of the database; the rest is shared by many', () => {
  const { operations, uploads, jobs } = outcome
  expect(operations.r2ClassA / uploads).toBeGreaterThan(1)
  expect(operations.r2ClassA / uploads).toBeLessThan(1.5)
  expect(operations.queueOperations).toBe(3 * jobs)
  expect(jobs).toBeLessThan(uploads / 10)
  expect(dollarsPerMillionUploads(outcome)).toBeGreaterThan(4.5)
})

test('a job for every pair of files costs more than the policy', () => {
  const eager = simulateUploads({ ...small, policy: { mergeMinFiles: 2, mergeMinBytes: 1, mergeMaxAgeSeconds: 0 } })
  expect(eager.jobs).toBeGreaterThan(outcome.jobs)
  expect(dollarsPerMillionUploads(eager)).toBeGreaterThan(dollarsPerMillionUploads(outcome))
})

test('the table has a column for each outcome', () => {
  const lines = describeOutcomes([outcome, outcome]).split('\n')
  expect(lines[0]).toBe('| uploads | 5,000 | 5,000 |')
  for (const line of lines) expect(line.split('|')).toHaveLength(5)
})
