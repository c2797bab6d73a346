import { once } from 'node:events'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { OperatorAnswer, type OperatorRequest } from '../schemas/operator.ts'
import { DatabaseError } from '../store/database-error.ts'
import { connectToOwner } from '../store/lock.ts'
import { UsageError } from './command.ts'
import { readLines } from './lines.ts'

/** Characters of a line of an answer. */
const MAX_ANSWER = 262_144

const isAnswer = TypeCompiler.Compile(OperatorAnswer)

/**
 * Lets the process that has a data directory open run a command, and calls `print` with each piece of text that the command prints.
 * @returns false if no process has the directory open.
 * @throws UsageError with the reason if the command failed.
 */
export async function askOwner (directory: string, request: OperatorRequest, print: (text: string) => void): Promise<boolean> {
  const socket = await connectToOwner(directory)
  if (!socket) return false
  let end: OperatorAnswer | undefined
  readLines(socket, MAX_ANSWER, line => {
    const answer = parse(line)
    if ('text' in answer) print(answer.text)
    else end = answer
  })
  socket.write(`${JSON.stringify(request)}\n`)
  await once(socket, 'close').catch(() => { /* A connection that breaks has no end, which the next line reports. */ })
  if (!end) throw new DatabaseError(`${directory}: in use by another Parley process, which takes no commands now: try again, or stop it`)
  if ('failure' in end) throw new UsageError(end.failure)
  return true
}

function parse (line: string): OperatorAnswer {
  try {
    const answer: unknown = JSON.parse(line)
    if (isAnswer.Check(answer)) return answer
  } catch {
    // A line that is no JSON is as unknown as one with other fields.
  }
  return { failure: 'the running server answers something unknown: is it of another release?' }
}
