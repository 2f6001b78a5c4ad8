/** Seconds by the clock of the Worker, which moves only across I/O: good for steps that wait on storage. */
export async function timed<T>(body: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const start = Date.now()
  const value = await body()
  return { value, seconds: (Date.now() - start) / 1000 }
}
