import { z } from 'zod'

/** A text that must be JSON, as the value that it holds; the schema of the text bounds its length. */
export const jsonText = (text: z.ZodString) =>
  text.transform((json, context) => {
    try {
      return JSON.parse(json) as unknown
    } catch {
      context.addIssue({ code: 'custom', message: 'not JSON' })
      return z.NEVER
    }
  })
