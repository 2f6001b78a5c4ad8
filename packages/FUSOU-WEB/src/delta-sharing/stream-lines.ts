const encoder = new TextEncoder()
/** Lines are sent together from about this length on. */
const CHUNK_CHARACTERS = 32 * 1024

/** Lines as a body, made as the client takes them. @param ended is called once, also when the client goes */
export function streamLines(lines: AsyncGenerator<string>, ended: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = ''
      try {
        while (text.length < CHUNK_CHARACTERS) {
          const line = await lines.next()
          if (line.done) {
            if (text !== '') controller.enqueue(encoder.encode(text))
            controller.close()
            ended()
            return
          }
          text += `${line.value}\n`
        }
        controller.enqueue(encoder.encode(text))
      } catch (error) {
        ended()
        throw error
      }
    },
    cancel: ended,
  })
}
