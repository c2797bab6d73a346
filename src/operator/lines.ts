import type { Socket } from 'node:net'

/**
 * Calls `onLine` with each line that comes from a socket, without its end. A line of more than `limit` characters destroys the socket with
 * an error.
 */
export function readLines (socket: Socket, limit: number, onLine: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) onLine(line)
    if (rest.length > limit) socket.destroy(new Error('a line is too long'))
  })
}
