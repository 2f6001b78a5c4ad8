import { createServer } from 'node:net'
import { StackError } from './stack-error.ts'

export const LOOPBACK = '127.0.0.1'

/**
 * Find out that a port can be listened on, before anything is started.
 * @param wanted   0 for any free port
 * @param service  what wants it, for the message
 * @param variable the environment variable that changes it, for the message
 * @throws StackError naming the port and the variable when it is taken
 */
export async function choosePort(wanted: number, service: string, variable: string): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${error.code})`
      reject(new StackError(`port ${wanted} for ${service} ${why}; choose another one: ${variable}=<port> npm start`))
    })
    server.listen(wanted, LOOPBACK, () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
