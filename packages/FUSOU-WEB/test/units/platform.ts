/** What workerd has and Node does not: a read that fills a buffer to a least length. */
Object.assign(ReadableStreamBYOBReader.prototype, {
  readAtLeast(this: ReadableStreamBYOBReader, least: number, view: Uint8Array) {
    const read = this.read as unknown as (view: Uint8Array, options: { min: number }) => Promise<unknown>
    return read.call(this, view, { min: least })
  },
})
